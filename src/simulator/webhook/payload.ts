import { escapeNonAscii } from "../../whatsapp/signature.ts";
import type { CallIdentity } from "../call-identity.ts";

type JsonObject = Readonly<Record<string, unknown>>;

/** The end of a call as its `terminate` webhook tells it. */
export interface CallEnd {
  readonly endWallMs: number;
  readonly status: "COMPLETED" | "FAILED";
  /** Null: the call was never picked up, and start, end and duration are left out. */
  readonly startWallMs: number | null;
  readonly durationSeconds: number | null;
  readonly callbackData: string | null;
  readonly errorCode: number | null;
}

/** One call's share of an envelope. */
export interface CallWebhook {
  readonly identity: CallIdentity;
  readonly call: JsonObject;
  readonly contact: JsonObject | null;
  /** Errors appear in the call and once more beside it (captured 2025-10-17). */
  readonly errors: readonly JsonObject[];
  readonly hasNoise: boolean;
}

const WABA_ID = "200000000000001";

const MEDIA_TIMEOUT_TITLE =
  "WhatsApp client terminated the call due to not receiving any media for a long time. Please try again";

/** Key order: id, from, to, event, timestamp, direction, session, as in a real `connect` (captured 2025-10-17). */
export function connectWebhook(
  identity: CallIdentity,
  offer: { readonly sdp: string; readonly wallMs: number },
  hasNoise: boolean,
): CallWebhook {
  const call = {
    ...callHead(identity, "connect", offer.wallMs),
    ...payloadFields(identity),
    ...(hasNoise ? { field_of_a_later_version: { level: 1 } } : {}),
    session: { sdp: offer.sdp, sdp_type: "offer" },
  };
  return { identity, call, contact: toContact(identity), errors: [], hasNoise };
}

export function terminateWebhook(identity: CallIdentity, end: CallEnd, hasNoise: boolean): CallWebhook {
  const errors = end.errorCode === null ? [] : [toError(end.errorCode)];
  const call = {
    ...callHead(identity, "terminate", end.endWallMs),
    ...(end.callbackData === null ? {} : { biz_opaque_callback_data: end.callbackData }),
    ...payloadFields(identity),
    ...(end.startWallMs === null
      ? {}
      : {
          start_time: toSeconds(end.startWallMs),
          end_time: toSeconds(end.endWallMs),
          duration: end.durationSeconds,
        }),
    status: end.status,
    ...(errors.length === 0 ? {} : { errors }),
  };
  return { identity, call, contact: null, errors, hasNoise };
}

/**
 * The bytes of one envelope for all the webhooks: a change per business number, with all its calls in it. Non-ASCII
 * and slashes are escaped as Meta does, so that who re-serialises the body gets another HMAC.
 */
export function toEnvelopeBytes(webhooks: readonly CallWebhook[]): Uint8Array {
  return Buffer.from(escapeNonAscii(JSON.stringify(toEnvelope(webhooks))), "latin1");
}

function toEnvelope(webhooks: readonly CallWebhook[]): object {
  const byNumber = new Map<string, CallWebhook[]>();
  for (const webhook of webhooks) {
    const { id } = webhook.identity.number;
    byNumber.set(id, [...(byNumber.get(id) ?? []), webhook]);
  }
  const changes = [...byNumber.values()].flatMap(toChanges);
  return { object: "whatsapp_business_account", entry: [{ id: WABA_ID, changes }] };
}

function toChanges(webhooks: readonly CallWebhook[]): readonly JsonObject[] {
  const [first] = webhooks;
  if (first === undefined) return [];
  const contacts = webhooks.flatMap((webhook) => webhook.contact ?? []);
  const errors = webhooks.flatMap((webhook) => webhook.errors);
  const hasNoise = webhooks.some((webhook) => webhook.hasNoise);
  const value = {
    ...valueHead(first.identity),
    ...(contacts.length === 0 ? {} : { contacts }),
    calls: [...(hasNoise ? [unknownEvent(first.identity)] : []), ...webhooks.map((webhook) => webhook.call)],
    ...(errors.length === 0 ? {} : { errors }),
    ...(hasNoise ? { value_of_a_later_version: [] } : {}),
  };
  const change = { field: "calls", value };
  return hasNoise ? [messageChange(first.identity), change] : [change];
}

function valueHead(identity: CallIdentity): JsonObject {
  const { displayPhoneNumber, id } = identity.number;
  return {
    messaging_product: "whatsapp",
    metadata: { display_phone_number: displayPhoneNumber, phone_number_id: id },
  };
}

function callHead(identity: CallIdentity, event: string, wallMs: number): JsonObject {
  return {
    id: identity.callId,
    ...(identity.from === null ? {} : { from: identity.from }),
    from_user_id: identity.userId,
    to: identity.number.displayPhoneNumber,
    event,
    timestamp: toSeconds(wallMs),
    direction: "USER_INITIATED",
  };
}

function payloadFields({ deeplinkPayload, ctaPayload }: CallIdentity): JsonObject {
  return {
    ...(deeplinkPayload === null ? {} : { deeplink_payload: deeplinkPayload }),
    ...(ctaPayload === null ? {} : { cta_payload: ctaPayload }),
  };
}

function toContact(identity: CallIdentity): JsonObject {
  return {
    profile: {
      name: identity.name,
      ...(identity.username === null ? {} : { username: identity.username }),
    },
    ...(identity.from === null ? {} : { wa_id: identity.from }),
    user_id: identity.userId,
  };
}

/** Title and message of 138021 as captured; the text of `details` is this simulator's. */
function toError(code: number): JsonObject {
  return {
    code,
    title: MEDIA_TIMEOUT_TITLE,
    message: MEDIA_TIMEOUT_TITLE,
    error_data: { details: "No media was received from the business in time" },
  };
}

function unknownEvent(identity: CallIdentity): JsonObject {
  return { ...callHead(identity, "event_of_a_later_version", 0), id: `${identity.callId}.other` };
}

function messageChange(identity: CallIdentity): JsonObject {
  const message = {
    ...(identity.from === null ? {} : { from: identity.from }),
    from_user_id: identity.userId,
    id: "wamid.HBgLMTU1NTAwMDExMTEVAgASGBQA",
    timestamp: "1760681500",
    type: "text",
    text: { body: "Can I call you?" },
  };
  return {
    field: "messages",
    value: { ...valueHead(identity), contacts: [toContact(identity)], messages: [message] },
  };
}

function toSeconds(wallMs: number): string {
  return String(Math.floor(wallMs / 1_000));
}
