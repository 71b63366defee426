import { z } from "zod";
import { EVENT_TYPES, type EventType } from "../../../core/events/event-types.ts";
import type { ApiKeyRecord, EventFilter, StoredEvent } from "../../../store/types.ts";
import { narrowToKey } from "../cursors/own-number.ts";

/** What of the events is asked for, as clients say it. */
export interface AskedEvents {
  readonly call_id?: string | undefined;
  readonly phone_number_id?: string | undefined;
  readonly type?: readonly EventType[] | undefined;
}

const callId: z.ZodType<string | undefined> = z
  .string()
  .regex(/^call_[0-9a-f]{32}$/, "must be the id of a call: call_…")
  .optional()
  .describe("Events of this call only.");

const phoneNumberId: z.ZodType<string | undefined> = z
  .string()
  .regex(/^\d{1,32}$/, "must be a phone number id: digits")
  .optional()
  .describe("Events of this business number only, by its phone number id.");

const types = z.array(z.enum(EVENT_TYPES)).min(1).max(EVENT_TYPES.length);

/** In a query, several types are a list with commas, or the parameter several times. */
const typesInQuery: z.ZodType<readonly EventType[] | undefined> = z
  .preprocess((value) => (value === undefined ? value : [value].flat().flatMap(splitList)), types.optional())
  .describe("These types only, with commas between several.");

/** Where reading begins. `oldest`: with what is kept longest; `now`: with what comes from now on. */
const after: z.ZodType<string | undefined> = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,200}$/, "must be a cursor, `oldest` or `now`")
  .optional()
  .describe("A cursor: what comes behind it. `oldest`: all that is kept. `now`: what comes from now on.");

export interface EventQuery extends AskedEvents {
  readonly after?: string | undefined;
  readonly limit: number;
}

export const eventQuery = (limit: z.ZodType<number>): z.ZodType<EventQuery> =>
  z.strictObject({ call_id: callId, phone_number_id: phoneNumberId, type: typesInQuery, after, limit });

/** What a client of the WebSocket asks for; all of it may be left out. */
export const eventFilterMessage: z.ZodType<AskedEvents> = z.strictObject({
  call_id: callId,
  phone_number_id: phoneNumberId,
  type: types.optional(),
});

export const eventCursor: z.ZodType<string | undefined> = after;

/** @throws {ApiProblem} `scope_missing` for another number than the key's. */
export function filterFor(key: ApiKeyRecord, asked: AskedEvents): EventFilter {
  const number = narrowToKey(key, asked.phone_number_id);
  return {
    ...(asked.call_id !== undefined && { callId: asked.call_id }),
    ...(number !== undefined && { phoneNumberId: number }),
    ...(asked.type !== undefined && { types: asked.type }),
  };
}

/** What the store's filter means, for an event that is read already. */
export function matches(filter: EventFilter, event: StoredEvent): boolean {
  return (
    (filter.callId === undefined || filter.callId === event.callId) &&
    (filter.phoneNumberId === undefined || filter.phoneNumberId === event.phoneNumberId) &&
    (filter.types === undefined || filter.types.includes(event.type))
  );
}

function splitList(value: unknown): readonly unknown[] {
  return typeof value === "string" ? value.split(",") : [value];
}
