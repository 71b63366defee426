import type { EventType, JsonObject } from "../../core/events/event-types.ts";
import { createId, type IdKind } from "../../core/events/id.ts";
import type { MediaStats } from "../../media/index.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Random } from "../../platform/random.ts";
import type {
  CallChange,
  CallDirection,
  CallUpdate,
  NewEvent,
  OwedAction,
  RecordingRecord,
} from "../../store/types.ts";
import type { CallEnd } from "../call.ts";
import { type EndTimes, endedData, errorCode, hangUpBy, mediaData } from "./event-data.ts";

export interface KeeperPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly write: (change: CallChange) => void;
}

export interface RecordedCall {
  /** `call_…` */
  readonly recordId: string;
  readonly phoneNumberId: string;
  readonly direction: CallDirection;
  /** In ms since the Unix epoch. */
  readonly startedAt: number;
  readonly answeredAt: number | null;
}

/** A call with more events than this is a fault of a program; what it does is not recorded any further. */
const MAX_EVENTS = 100_000;

/** Keeps one call's record and its events, in their order. Never throws. */
export class RecordKeeper {
  readonly recordId: string;
  readonly phoneNumberId: string;
  readonly startedAt: number;
  readonly #direction: CallDirection;
  readonly #ports: KeeperPorts;
  #answeredAt: number | null;
  #count = 0;
  #hasEnded = false;
  #isClosed = false;

  constructor(call: RecordedCall, ports: KeeperPorts) {
    this.recordId = call.recordId;
    this.phoneNumberId = call.phoneNumberId;
    this.startedAt = call.startedAt;
    this.#direction = call.direction;
    this.#answeredAt = call.answeredAt;
    this.#ports = ports;
  }

  /** An event that changes nothing of the record. */
  record(type: EventType, data: JsonObject, personal: JsonObject | null = null): void {
    this.#write({ events: this.#events(type, data, personal) });
  }

  /** A new id of something that belongs to the call. */
  createId(kind: IdKind): string {
    return createId(kind, this.#now(), this.#ports.random);
  }

  /** The first event of an incoming call: written with the record that it opens. */
  opening(data: JsonObject, personal: JsonObject): readonly NewEvent[] {
    return this.#events("call.incoming", data, personal);
  }

  connecting(): void {
    this.#write({
      update: { state: "connecting", connectingAt: this.#now() },
      events: this.#events("call.connecting", {}),
    });
  }

  answered(): void {
    this.#answeredAt = this.#now();
    this.#write({
      update: { state: "active", answeredAt: this.#answeredAt },
      events: this.#events("call.answered", {}),
    });
  }

  /** All tags of the call. */
  tagged(tags: JsonObject): void {
    this.#write({ update: { tags }, events: this.#events("call.tagged", { tags }) });
  }

  recording(recording: RecordingRecord, type: EventType, data: JsonObject): void {
    this.#write({ recordings: [recording], events: this.#events(type, data) });
  }

  /**
   * The terminal event. What is under way still reports its own end after it, until `close`.
   * @param finished Entries of the journal that are done with it.
   * @param owed What WhatsApp is still to be told of it.
   */
  ended(
    end: CallEnd,
    stats: MediaStats | null,
    finished: readonly number[] = [],
    owed: OwedAction | null = null,
  ): void {
    if (this.#hasEnded) return;
    const times = { startedAt: this.startedAt, answeredAt: this.#answeredAt, endedAt: this.#now() };
    const change = endChange(end, times, mediaData(stats), this.#direction, this.#events.bind(this));
    this.#write({ ...change, update: { ...change.update, owed }, finished });
    this.#hasEnded = true;
  }

  /** WhatsApp knows that the call is over. */
  told(): void {
    this.#write({ update: { owed: null } });
  }

  /** Nothing is recorded any more. */
  close(): void {
    this.#isClosed = true;
  }

  #write(change: Omit<CallChange, "callId">): void {
    if (this.#isClosed) return;
    this.#ports.write({ callId: this.recordId, ...change });
  }

  #events(type: EventType, data: JsonObject, personal: JsonObject | null = null): readonly NewEvent[] {
    if (this.#isClosed || (this.#count >= MAX_EVENTS && type !== "call.ended")) return [];
    this.#count += 1;
    const at = this.#now();
    return [{ id: this.createId("evt"), type, at, data, personal }];
  }

  #now(): number {
    return Math.round(this.#ports.clock.wallMs());
  }
}

function endChange(
  end: CallEnd,
  times: EndTimes,
  media: JsonObject | null,
  direction: CallDirection,
  events: (type: EventType, data: JsonObject) => readonly NewEvent[],
): Omit<CallChange, "callId"> {
  const update: CallUpdate = {
    state: "ended",
    endedAt: times.endedAt,
    durationMs: end.durationMs,
    endReason: end.reason,
    hangUpBy: hangUpBy(end.reason),
    errorCode: errorCode(end),
    media,
  };
  return { update, events: events("call.ended", endedData(end, direction, times, media)) };
}
