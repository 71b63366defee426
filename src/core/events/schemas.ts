import { z } from "zod";
import { EVENT_TYPES, type EventType } from "./event-types.ts";

const time = z.iso.datetime({ precision: 3 }).describe("ISO 8601 in UTC, with milliseconds.");
const wholeMs = z.number().int().nonnegative();
const code = z
  .string()
  .nullable()
  .describe("A code of WhatsApp or of Ringback; null when nothing went wrong.");
const word = (text: string): z.ZodString =>
  z
    .string()
    .regex(/^[a-z0-9_-]+$/)
    .describe(text);

const caller = z
  .object({
    number: z.string().nullable().describe("Digits; null when it is hidden."),
    user_id: z.string().nullable(),
    name: z.string().nullable(),
    username: z.string().nullable(),
  })
  .nullable();

const media = z
  .object({
    packets_sent: z.number().int(),
    packets_received: z.number().int(),
    packets_lost: z.number().int(),
    jitter_ms: z.number(),
    rtt_ms: z.number().nullable(),
    slots_skipped: z.number().int(),
    bytes_sent: z.number().int(),
    bytes_received: z.number().int(),
  })
  .partial()
  .loose()
  .nullable()
  .describe("Null when the call had no media, or its process died.");

const recording = z.object({
  recording_id: z.string(),
  status: z.enum(["in_progress", "completed", "absent", "failed", "deleted"]),
  duration_ms: wholeMs.nullable(),
  channels: z.enum(["caller", "business", "both"]).nullable(),
  format: z.enum(["opus", "wav"]),
  consent: z.object({ mode: z.string(), state: z.string(), at: time.nullable() }).partial().loose(),
  files: z.array(
    z.object({
      channel: z.enum(["caller", "business", "both"]),
      bytes: z.number().int().nonnegative(),
      sha256: z.string(),
    }),
  ),
  ended_by: word("What ended it.").optional(),
  error_code: code.optional(),
});

const command = z.object({ command_id: z.string(), verb: z.string() });

/**
 * What each type of event says. What is marked as personal is gone once the caller has been erased, so it is optional. More fields may
 * be added to any of them: readers ignore what they do not know.
 */
export const EVENT_DATA: { readonly [T in EventType]: z.ZodType } = {
  "call.incoming": z
    .object({
      direction: z.enum(["inbound", "outbound"]),
      phone_number_id: z.string().describe("Of the business number that is called."),
      caller: caller.optional().describe("Personal."),
      deeplink_payload: z.string().nullable().optional().describe("Personal."),
      cta_payload: z.string().nullable().optional().describe("Personal."),
    })
    .describe("A call is ringing."),
  "call.connecting": z.object({}).describe("The call is being taken: its media comes up."),
  "call.answered": z.object({}).describe("Both sides can speak."),
  "call.dtmf": z
    .object({ digit: z.string().optional().describe("Personal. One of 0-9 * # A-D.") })
    .describe("The caller pressed a key."),
  "call.tagged": z
    .object({ tags: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])) })
    .describe("All tags of the call, as they are now."),
  "call.ended": z
    .object({
      reason: word("Why, such as `caller_hangup`; docs/events.md lists them."),
      direction: z.enum(["inbound", "outbound"]),
      answered: z.boolean(),
      duration_ms: wholeMs.describe("From the answer to the end; 0 without an answer."),
      hangup_by: z.enum(["caller", "business", "gateway", "whatsapp"]),
      started_at: time,
      answered_at: time.nullable(),
      ended_at: time,
      media,
      error_code: code,
      meaning: z.string().describe("The reason in plain words."),
      next_step: z.string().nullable(),
    })
    .describe("The call is over. Each call has exactly one of these, also after a crash."),
  "call.command_completed": command
    .extend({ result: z.unknown().describe("What the verb gives, in the form of docs/api.md.") })
    .describe("A command that was sent over the API is done."),
  "call.command_failed": command
    .extend({ error: z.object({ code: z.string(), message: z.string() }) })
    .describe("A command that was sent over the API could not be done."),
  "playback.started": z.object({ command_id: z.string().optional() }).describe("A sound was asked for."),
  "playback.ended": z
    .object({
      outcome: word("How it ended, such as `completed`."),
      played_ms: wholeMs,
      error_code: code.optional(),
    })
    .describe("A sound is over."),
  "gather.completed": z
    .object({
      outcome: word("`digits`, `timeout`, `hangup` or `aborted`."),
      digits: z.string().optional().describe("Personal."),
      finished_by: z.string().nullable(),
    })
    .describe("Keys were waited for, and what came of it."),
  "flow.ended": z
    .object({ reason: word("Why."), steps: z.number().int(), duration_ms: wholeMs })
    .describe("A call flow is over."),
  "recording.started": recording.describe("From now on the call is recorded."),
  "recording.completed": recording.describe("The files are finished."),
  "recording.failed": recording.describe("Nothing was recorded, or less than was to be."),
  "recording.absent": recording.describe("There was nothing to record, or no consent."),
  "recording.deleted": recording.describe("The files were removed."),
  "webhook.test": z.looseObject({}).describe("A test of an endpoint. It belongs to no call."),
};

/** An event, whatever its type. */
export const eventEnvelope: z.ZodType = z
  .object({
    id: z
      .string()
      .regex(/^evt_[0-9a-f]{32}$/)
      .describe("The same in each delivery: keep it to know repetitions."),
    type: z.enum(EVENT_TYPES),
    time,
    call_id: z
      .string()
      .regex(/^call_[0-9a-f]{32}$/)
      .nullable()
      .describe("Null for what belongs to no call."),
    seq: z
      .number()
      .int()
      .nonnegative()
      .describe("Counts a call's events from 1, without a gap; 0 without a call."),
    attempt: z.number().int().positive().describe("Of a delivery, from 1; always 1 in lists and streams."),
    data: z.looseObject({}).describe("Depends on the type; docs/events.md and docs/asyncapi.json have each."),
  })
  .describe("An event.");

/** What is not as the schemas say; empty when all is. */
export function eventMistakes(envelope: unknown): readonly string[] {
  const whole = eventEnvelope.safeParse(envelope);
  if (!whole.success) return whole.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  const { type, data } = whole.data as { readonly type: EventType; readonly data: unknown };
  const result = EVENT_DATA[type].safeParse(data);
  if (result.success) return [];
  return result.error.issues.map(({ path, message }) => `data.${path.join(".")}: ${message}`);
}
