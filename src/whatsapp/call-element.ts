import { z } from "zod";
import type { CallEvent, ConnectEvent, TerminateEvent, WebhookError } from "./call-event.ts";
import { type Contact, identify, userOfCall } from "./caller-identity.ts";
import { mergeWebhookErrors, readWebhookErrors } from "./webhook-error.ts";
import {
  epochMsField,
  idField,
  listField,
  lowerCaseField,
  numberField,
  phoneNumberField,
  textField,
} from "./webhook-field.ts";

/** What the surroundings of an element say about it. */
export interface ElementContext {
  readonly phoneNumberId: string;
  /** The business's own number as digits; null when the webhook does not say. */
  readonly businessNumber: string | null;
  readonly contacts: readonly Contact[];
  /** True when the webhook's `value` holds this element alone. */
  readonly isOnlyElement: boolean;
  /** `value.errors`, when they can belong to this element only. */
  readonly errors: readonly WebhookError[];
}

const sessionSchema = z.looseObject({ sdp: textField, sdp_type: lowerCaseField });
const legacySessionSchema = z.looseObject({ sdp: textField, type: lowerCaseField });

const callSchema = z.looseObject({
  id: idField,
  from: phoneNumberField,
  from_user_id: textField,
  from_parent_user_id: textField,
  to: phoneNumberField,
  to_user_id: textField,
  to_parent_user_id: textField,
  event: textField,
  timestamp: epochMsField,
  direction: lowerCaseField,
  biz_opaque_callback_data: textField,
  deeplink_payload: textField,
  cta_payload: textField,
  session: sessionSchema.nullable().catch(null),
  connection: z
    .looseObject({ webrtc: z.looseObject({ sdp: textField }) })
    .nullable()
    .catch(null),
  start_time: epochMsField,
  end_time: epochMsField,
  duration: numberField,
  status: lowerCaseField,
  errors: listField,
});

type CallElement = z.infer<typeof callSchema>;
type Direction = CallEvent["direction"];
type EventBase = Omit<ConnectEvent, "type" | "sdpType" | "sdp" | "deeplinkPayload" | "ctaPayload">;

interface Session {
  readonly sdp: string;
  readonly sdpType: "offer" | "answer";
}

/**
 * Turns one element of `calls[]` into an event.
 *
 * @returns null when it is no object or has no usable id; an `unknown` event when it has an id and lacks what its event needs.
 */
export function readCallElement(
  raw: Readonly<Record<string, unknown>>,
  context: ElementContext,
): CallEvent | null {
  const { data } = callSchema.safeParse(raw);
  if (data === undefined) return null;
  const stated = statedDirection(data.direction);
  const session = readSession(data, stated);
  const base = baseOf(raw, data, stated ?? impliedDirection(session), context);
  const event = data.event?.toLowerCase();
  if (event === "connect" && session !== null) return connectEvent(base, data, session);
  if (event === "terminate") return terminateEvent(base, data, context.errors);
  return { ...base, type: "unknown", event: (data.event ?? "").slice(0, 64) };
}

function baseOf(
  raw: Readonly<Record<string, unknown>>,
  data: CallElement,
  direction: Direction,
  context: ElementContext,
): EventBase {
  const user = userOfCall(data, context.businessNumber, direction === "business-initiated");
  return {
    phoneNumberId: context.phoneNumberId,
    callId: data.id,
    timestampMs: data.timestamp,
    direction,
    caller: identify(user, context.contacts, context.isOnlyElement),
    callbackData: data.biz_opaque_callback_data,
    raw,
  };
}

function connectEvent(base: EventBase, data: CallElement, session: Session): ConnectEvent {
  return {
    ...base,
    type: "connect",
    sdpType: session.sdpType,
    sdp: session.sdp,
    deeplinkPayload: data.deeplink_payload,
    ctaPayload: data.cta_payload,
  };
}

function terminateEvent(
  base: EventBase,
  data: CallElement,
  surroundingErrors: readonly WebhookError[],
): TerminateEvent {
  return {
    ...base,
    type: "terminate",
    status: data.status === "completed" || data.status === "failed" ? data.status : "unknown",
    startTimeMs: data.start_time,
    endTimeMs: data.end_time,
    durationSeconds: data.duration,
    errors: mergeWebhookErrors(readWebhookErrors(data.errors), surroundingErrors),
  };
}

function statedDirection(direction: string | null): Direction {
  if (direction === "user_initiated") return "user-initiated";
  return direction === "business_initiated" ? "business-initiated" : null;
}

// One documented sample of a connect event has no direction: an offer is WhatsApp's, an answer is to our own offer.
function impliedDirection(session: Session | null): Direction {
  if (session === null) return null;
  return session.sdpType === "offer" ? "user-initiated" : "business-initiated";
}

function readSession(data: CallElement, direction: Direction): Session | null {
  const sdp = data.session?.sdp ?? null;
  if (sdp === null) return readLegacySession(data, direction);
  const sdpType = toSdpType(data.session?.sdp_type ?? null) ?? impliedSdpType(direction);
  return sdpType === null ? null : { sdp, sdpType };
}

// Before `session` there was `connection.webrtc.sdp`, JSON text within the JSON. Answers may still carry it.
function readLegacySession(data: CallElement, direction: Direction): Session | null {
  const text = data.connection?.webrtc.sdp ?? null;
  if (text === null) return null;
  const legacy = legacySessionSchema.safeParse(parseJson(text)).data;
  const sdp = legacy?.sdp ?? null;
  const sdpType = toSdpType(legacy?.type ?? null) ?? impliedSdpType(direction);
  return sdp === null || sdpType === null ? null : { sdp, sdpType };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON means no session; the element then becomes an `unknown` event.
    return null;
  }
}

function toSdpType(value: string | null): Session["sdpType"] | null {
  return value === "offer" || value === "answer" ? value : null;
}

function impliedSdpType(direction: Direction): Session["sdpType"] | null {
  if (direction === null) return null;
  return direction === "user-initiated" ? "offer" : "answer";
}
