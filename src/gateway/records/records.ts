import { explainEnd } from "../../core/call/explain-end.ts";
import type { EndReason } from "../../core/call/types.ts";
import type { JsonObject } from "../../core/events/event-types.ts";
import { createId } from "../../core/events/id.ts";
import { isRingbackError } from "../../errors.ts";
import type { Logger } from "../../logger.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Random } from "../../platform/random.ts";
import type { Timers } from "../../platform/timers.ts";
import type { CallChange, CallRecord, NewCall, RecordingRecord, Store } from "../../store/types.ts";
import type { CallEvent, ConnectEvent, TerminateEvent } from "../../whatsapp/call-event.ts";
import type { CallEnd, RemoteError } from "../call.ts";
import { callKey } from "./call-key.ts";
import { incomingData, incomingPersonal, partyOf } from "./event-data.ts";
import { RecordKeeper } from "./record-keeper.ts";
import { RecordWriter } from "./record-writer.ts";

const FIRST_WAIT_MS = 100;
const LAST_WAIT_MS = 2_000;

export interface CallRecordsOptions {
  readonly store: Store;
  /** Name of this node in records. */
  readonly node: string;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  /** Told each time when the store cannot be written, and why. */
  readonly onUnavailable: (reason: string) => void;
}

/** Opens and closes the records of calls. */
export class Records {
  readonly writer: RecordWriter;
  readonly #options: CallRecordsOptions;

  constructor(options: CallRecordsOptions) {
    this.#options = options;
    this.writer = new RecordWriter(options);
  }

  /**
   * Makes the record of a call that comes in. Null when there is one already, and the entry of the journal is done with it.
   * Waits for a store that is away.
   */
  async open(event: ConnectEvent, entryId: number | null): Promise<RecordKeeper | null> {
    const keeper = this.#keeper(event);
    const { recordId, startedAt } = keeper;
    const data = incomingData(event.phoneNumberId, "inbound");
    const outcome = await this.writer.commit({
      callId: recordId,
      create: this.#newCall(recordId, event, startedAt, "ringing"),
      events: keeper.opening(data, incomingPersonal(event)),
      ...finishing(entryId),
    });
    return outcome === "written" ? keeper : null;
  }

  /**
   * The record of a call whose end came first, or alone: nobody was rung, and a `connect` that follows changes nothing.
   * False when there is one already; the entry of the journal is then still to be finished.
   */
  async openEnded(
    event: TerminateEvent,
    errors: readonly RemoteError[],
    entryId: number | null,
  ): Promise<boolean> {
    const keeper = this.#keeper(event);
    const create = this.#newCall(keeper.recordId, event, keeper.startedAt, "ringing");
    const outcome = await this.writer.commit({ callId: keeper.recordId, create });
    if (outcome === "exists") return false;
    const reason = errors.length > 0 ? "remote-failed" : "caller-hangup";
    keeper.ended(
      { ...endOf(reason, null, 0), remoteErrors: errors },
      null,
      entryId === null ? [] : [entryId],
    );
    return true;
  }

  /** Ends a record that another process began. Resolves when that is written. */
  async endLeft(record: CallRecord, reason: EndReason, entryId: number | null = null): Promise<void> {
    const { answeredAt } = record;
    // Wall time may have gone back.
    const lastedMs = answeredAt === null ? 0 : Math.round(this.#options.clock.wallMs() - answeredAt);
    const end = endOf(reason, answeredAt, Math.max(0, lastedMs));
    await this.#writeTo(record, (keeper) => keeper.ended(end, null, entryId === null ? [] : [entryId]));
  }

  /** The same for a recording of such a call. */
  async endRecording(call: CallRecord, recording: RecordingRecord, data: JsonObject): Promise<void> {
    await this.#writeTo(call, (keeper) => keeper.recording(recording, "recording.failed", data));
  }

  async #writeTo(record: CallRecord, note: (keeper: RecordKeeper) => void): Promise<void> {
    const { clock, random } = this.#options;
    const { id: recordId, phoneNumberId, direction, createdAt: startedAt, answeredAt } = record;
    const call = { recordId, phoneNumberId, direction, startedAt, answeredAt };
    let written: Promise<unknown> = Promise.resolve();
    const write = (change: CallChange): void => {
      written = this.writer.commit(change);
    };
    note(new RecordKeeper(call, { clock, random, write }));
    await written;
  }

  /**
   * Asks the store, and waits for one that is away, until it is given up.
   * @throws {RingbackError} `STORE_UNAVAILABLE` then.
   */
  async ask<T>(question: (store: Store) => Promise<T>): Promise<T> {
    const { store, timers, onUnavailable } = this.#options;
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LAST_WAIT_MS)) {
      try {
        return await question(store);
      } catch (error) {
        if (!isRingbackError(error, "STORE_UNAVAILABLE") || this.writer.isAbandoned) throw error;
        onUnavailable(error.details.reason);
        await new Promise<void>((resolve) => timers.setTimer(waitMs, resolve));
      }
    }
  }

  /** An entry of the journal that nothing is left to do for. */
  finish(entryId: number | null): void {
    if (entryId !== null) this.writer.finish(entryId);
  }

  #keeper({ phoneNumberId }: CallEvent): RecordKeeper {
    const { clock, random } = this.#options;
    const startedAt = Math.round(clock.wallMs());
    const recordId = createId("call", startedAt, random);
    return new RecordKeeper(
      { recordId, phoneNumberId, direction: "inbound", startedAt, answeredAt: null },
      { clock, random, write: (change) => this.writer.write(change) },
    );
  }

  #newCall(id: string, event: CallEvent, createdAt: number, state: NewCall["state"]): NewCall {
    return {
      id,
      callKey: callKey(event),
      phoneNumberId: event.phoneNumberId,
      whatsappCallId: event.callId,
      direction: "inbound",
      state,
      party: partyOf(event.caller),
      node: this.#options.node,
      createdAt,
    };
  }
}

function finishing(entryId: number | null): { readonly finished?: readonly number[] } {
  return entryId === null ? {} : { finished: [entryId] };
}

function endOf(reason: EndReason, answeredAt: number | null, durationMs: number): CallEnd {
  return {
    reason,
    explanation: explainEnd(reason, { iceConnected: false, mediaDown: null }),
    answered: answeredAt !== null,
    durationMs,
    error: null,
    remoteErrors: [],
  };
}
