import { z } from "zod";
import { RingbackError } from "../errors.ts";
import { type ElementContext, readCallElement } from "./call-element.ts";
import type { CallEvent, WebhookError } from "./call-event.ts";
import { readContacts } from "./caller-identity.ts";
import { readStatusElement } from "./status-element.ts";
import { readWebhookErrors } from "./webhook-error.ts";
import { idField, listField, phoneNumberField } from "./webhook-field.ts";

/** Most entries, changes and elements together that one webhook is read for. */
const MAX_PARTS = 1000;
const MAX_STRAY_ERRORS = 16;

/** What one webhook holds. */
export interface ParsedWebhook {
  /** The call events in the order of the body: each change's `calls[]`, then its `statuses[]`. */
  readonly events: readonly CallEvent[];
  /** Errors of field `calls` that no single ended call can be named for, such as 131044 (no valid payment method). */
  readonly errors: readonly WebhookError[];
  /** Number of parts that gave no event: other fields, parts that could not be read, parts beyond the limit. */
  readonly ignored: number;
}

interface Reading {
  readonly events: CallEvent[];
  readonly errors: WebhookError[];
  ignored: number;
  parts: number;
}

const envelopeSchema = z.looseObject({ entry: z.array(z.unknown()) });
const entrySchema = z.looseObject({ changes: z.array(z.unknown()) });
const changeSchema = z.looseObject({ field: z.literal("calls"), value: z.unknown() });
const valueSchema = z.looseObject({
  metadata: z.looseObject({ phone_number_id: idField, display_phone_number: phoneNumberField }),
  contacts: listField,
  calls: listField,
  statuses: listField,
  errors: listField,
});
const elementSchema = z.custom<Readonly<Record<string, unknown>>>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
);

/**
 * Reads the call events out of a webhook body whose signature was checked.
 *
 * Unknown fields and events are kept, never refused: an element that has an id always becomes an event, at the least an
 * `unknown` one, and one bad element does not spoil its neighbours.
 *
 * @param rawBody UTF-8 JSON. The caller limits its size.
 * @throws {RingbackError} `WEBHOOK_BODY_INVALID` when it is not JSON or no object with `entry[]`.
 * @see Meta Calling API, "User-initiated calls" and "Business-initiated calls", webhooks (read 2026-11-22)
 */
export function parseWebhook(rawBody: Uint8Array): ParsedWebhook {
  const envelope = envelopeSchema.safeParse(parseBody(rawBody)).data;
  if (envelope === undefined) {
    throw bodyError("not-an-envelope", 'the webhook body must be a JSON object with the array "entry"');
  }
  const reading: Reading = { events: [], errors: [], ignored: 0, parts: 0 };
  for (const entry of envelope.entry) {
    const changes = takePart(reading) ? entrySchema.safeParse(entry).data?.changes : undefined;
    if (changes === undefined) reading.ignored += 1;
    else for (const change of changes) readChange(change, reading);
  }
  return { events: reading.events, errors: reading.errors, ignored: reading.ignored };
}

/**
 * The key by which a repeated delivery of the same event is known: phone number id, call id, event, timestamp.
 *
 * WhatsApp delivers at least once and in no order; events with equal keys are the same event.
 */
export function callEventKey(event: CallEvent): string {
  // JSON keeps the parts apart whatever characters they hold.
  return JSON.stringify([event.phoneNumberId, event.callId, eventName(event), event.timestampMs]);
}

function eventName(event: CallEvent): string {
  if (event.type === "status") return `status:${event.status}`;
  return event.type === "unknown" ? `unknown:${event.event}` : event.type;
}

function readChange(change: unknown, reading: Reading): void {
  const value = takePart(reading)
    ? valueSchema.safeParse(changeSchema.safeParse(change).data?.value).data
    : undefined;
  if (value === undefined) {
    reading.ignored += 1;
    return;
  }
  const errors = readWebhookErrors(value.errors);
  const elementCount = value.calls.length + value.statuses.length;
  const isForOneCall = value.calls.filter(isTerminate).length === 1;
  const context: ElementContext = {
    phoneNumberId: value.metadata.phone_number_id,
    businessNumber: value.metadata.display_phone_number,
    contacts: readContacts(value.contacts),
    isOnlyElement: elementCount === 1,
    errors: isForOneCall ? errors : [],
  };
  readElements(value.calls, readCallElement, context, reading);
  readElements(value.statuses, readStatusElement, context, reading);
  if (elementCount === 0 && errors.length === 0) reading.ignored += 1;
  if (!isForOneCall) reading.errors.push(...errors.slice(0, MAX_STRAY_ERRORS - reading.errors.length));
}

function isTerminate(element: unknown): boolean {
  const event = elementSchema.safeParse(element).data?.["event"];
  return typeof event === "string" && event.toLowerCase() === "terminate";
}

function readElements(
  elements: readonly unknown[],
  read: (raw: Readonly<Record<string, unknown>>, context: ElementContext) => CallEvent | null,
  context: ElementContext,
  reading: Reading,
): void {
  for (const element of elements) {
    const raw = takePart(reading) ? elementSchema.safeParse(element).data : undefined;
    const event = raw === undefined ? null : read(raw, context);
    if (event === null) reading.ignored += 1;
    else reading.events.push(event);
  }
}

function takePart(reading: Reading): boolean {
  reading.parts += 1;
  return reading.parts <= MAX_PARTS;
}

function parseBody(rawBody: Uint8Array): unknown {
  try {
    // A key `__proto__` is dropped, so that no later copy of `raw` can change an object's prototype.
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(rawBody), (key, value: unknown) =>
      key === "__proto__" ? undefined : value,
    );
  } catch {
    // The parser's own message quotes the body, which holds numbers and SDP, so it is not kept as the cause.
    throw bodyError("not-json", "the webhook body must be UTF-8 JSON");
  }
}

function bodyError(
  reason: "not-json" | "not-an-envelope",
  message: string,
): RingbackError<"WEBHOOK_BODY_INVALID"> {
  return new RingbackError("WEBHOOK_BODY_INVALID", message, { details: { reason } });
}
