import { isoTime } from "../civil-date.ts";
import type { EventEnvelope, EventType, JsonObject } from "./event-types.ts";

/** What an envelope is made of, as the store has it. */
export interface EnvelopeSource {
  readonly id: string;
  readonly type: EventType;
  /** Since the Unix epoch, in ms. */
  readonly at: number;
  readonly callId: string | null;
  readonly seq: number;
  readonly data: JsonObject;
}

/** An event as programs receive it. @param attempt From 1; always 1 in streams and lists. */
export function toEnvelope(event: EnvelopeSource, attempt: number): EventEnvelope {
  return {
    id: event.id,
    type: event.type,
    time: isoTime(event.at),
    call_id: event.callId,
    seq: event.seq,
    attempt,
    data: event.data,
  };
}
