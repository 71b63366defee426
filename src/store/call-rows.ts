import type { Insertable, Selectable, Updateable } from "kysely";
import type { JsonObject } from "../core/events/event-types.ts";
import type { CallTable } from "./schema.ts";
import type {
  CallDirection,
  CallRecord,
  CallState,
  CallUpdate,
  HangUpBy,
  NewCall,
  OwedAction,
} from "./types.ts";

export function toCall(row: Selectable<CallTable>): CallRecord {
  return {
    id: row.id,
    callKey: row.call_key,
    phoneNumberId: row.phone_number_id,
    whatsappCallId: row.whatsapp_call_id,
    direction: row.direction as CallDirection,
    state: row.state as CallState,
    party: {
      number: row.party_number,
      userId: row.party_user_id,
      name: row.party_name,
      username: row.party_username,
    },
    erasedAt: row.erased_at,
    node: row.node,
    createdAt: row.created_at,
    connectingAt: row.connecting_at,
    answeredAt: row.answered_at,
    endedAt: row.ended_at,
    durationMs: row.duration_ms,
    endReason: row.end_reason,
    hangUpBy: row.hang_up_by as HangUpBy | null,
    errorCode: row.error_code,
    media: row.media === null ? null : (JSON.parse(row.media) as JsonObject),
    tags: JSON.parse(row.tags) as JsonObject,
    seq: row.seq,
    owed: row.owed as OwedAction | null,
  };
}

export function fromNewCall(call: NewCall): Insertable<CallTable> {
  return {
    id: call.id,
    call_key: call.callKey,
    phone_number_id: call.phoneNumberId,
    whatsapp_call_id: call.whatsappCallId,
    direction: call.direction,
    state: call.state,
    party_number: call.party.number,
    party_user_id: call.party.userId,
    party_name: call.party.name,
    party_username: call.party.username,
    node: call.node,
    created_at: call.createdAt,
    tags: "{}",
    seq: 0,
  };
}

/** Whole numbers: a database takes no fraction of a millisecond. */
function wholeMs(value: number | null): number | null {
  return value === null ? null : Math.round(value);
}

export function fromUpdate(update: CallUpdate): Updateable<CallTable> {
  const row: Updateable<CallTable> = {};
  if (update.state !== undefined) row.state = update.state;
  if (update.connectingAt !== undefined) row.connecting_at = wholeMs(update.connectingAt);
  if (update.answeredAt !== undefined) row.answered_at = wholeMs(update.answeredAt);
  if (update.endedAt !== undefined) row.ended_at = wholeMs(update.endedAt);
  if (update.durationMs !== undefined) row.duration_ms = wholeMs(update.durationMs);
  if (update.endReason !== undefined) row.end_reason = update.endReason;
  if (update.hangUpBy !== undefined) row.hang_up_by = update.hangUpBy;
  if (update.errorCode !== undefined) row.error_code = update.errorCode;
  if (update.media !== undefined) row.media = update.media === null ? null : JSON.stringify(update.media);
  if (update.tags !== undefined) row.tags = JSON.stringify(update.tags);
  if (update.owed !== undefined) row.owed = update.owed;
  return row;
}

/** What may still change of a call that has ended: how it ended stays as it was told first. */
export function afterEnd(update: CallUpdate): CallUpdate {
  const kept: { -readonly [K in keyof CallUpdate]: CallUpdate[K] } = {};
  if (update.media !== undefined) kept.media = update.media;
  if (update.tags !== undefined) kept.tags = update.tags;
  if (update.owed !== undefined) kept.owed = update.owed;
  return kept;
}
