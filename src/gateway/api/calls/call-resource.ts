import { z } from "zod";
import type { CallRecord } from "../../../store/types.ts";
import { snakeCase } from "../../records/event-data.ts";
import { isoTime, isoTimeOrNull } from "../pages.ts";

const time = z.iso.datetime({ precision: 3 });

/** A call as the API shows it. */
export const callSchema: z.ZodType = z
  .object({
    id: z.string().describe("`call_…`. Sorts by the time it was made at."),
    phone_number_id: z.string().describe("The business number, by the id that WhatsApp has for it."),
    direction: z.enum(["inbound", "outbound"]),
    state: z.enum(["ringing", "connecting", "active", "ended"]),
    party: z
      .object({
        number: z.string().nullable(),
        user_id: z.string().nullable(),
        name: z.string().nullable(),
        username: z.string().nullable(),
      })
      .describe("The other side. Each part may be hidden; all are null once it was erased."),
    node: z.string().describe("The process that has, or had, the call."),
    created_at: time,
    connecting_at: time.nullable(),
    answered_at: time.nullable(),
    ended_at: time.nullable(),
    duration_ms: z.number().nullable().describe("From the answer to the end; null before the end."),
    end_reason: z.string().nullable().describe("`caller_hangup`, `local_hangup`, … (docs/errors.md)."),
    hangup_by: z.enum(["caller", "business", "gateway", "whatsapp"]).nullable(),
    error_code: z.string().nullable().describe("WhatsApp's or Ringback's code of what went wrong."),
    media: z.record(z.string(), z.unknown()).nullable().describe("Packets, loss, jitter and round trip."),
    tags: z.record(z.string(), z.unknown()),
    last_seq: z.number().int().describe("`seq` of its last event."),
    erased_at: time.nullable(),
  })
  .meta({ id: "Call" });

/** WhatsApp's own id is left out: it holds the number of the caller. */
export function toCallResource(call: CallRecord): object {
  const { number, userId, name, username } = call.party;
  return {
    id: call.id,
    phone_number_id: call.phoneNumberId,
    direction: call.direction,
    state: call.state,
    party: { number, user_id: userId, name, username },
    node: call.node,
    created_at: isoTime(call.createdAt),
    connecting_at: isoTimeOrNull(call.connectingAt),
    answered_at: isoTimeOrNull(call.answeredAt),
    ended_at: isoTimeOrNull(call.endedAt),
    duration_ms: call.durationMs,
    end_reason: call.endReason === null ? null : snakeCase(call.endReason),
    hangup_by: call.hangUpBy,
    error_code: call.errorCode,
    media: call.media,
    tags: call.tags,
    last_seq: call.seq,
    erased_at: isoTimeOrNull(call.erasedAt),
  };
}
