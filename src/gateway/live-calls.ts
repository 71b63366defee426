import type { EventType, JsonObject } from "../core/events/event-types.ts";
import type { Call } from "./call.ts";

/** A call that this process has on the line. */
export interface LiveCall {
  readonly call: Call;
  /**
   * Adds an event to the call's record, in order. Never throws. What was under way when the call ended still reports its own end;
   * once nothing is, it does nothing.
   * @param personal What is erased with the caller's data, such as digits.
   */
  record(type: EventType, data: JsonObject, personal?: JsonObject | null): void;
}

/** The calls on the line, by the id of their record (`call_…`). */
export interface LiveCalls {
  find(recordId: string): LiveCall | null;
}
