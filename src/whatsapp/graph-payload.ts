import { optionError } from "./graph-options.ts";

interface RequestBase {
  /** WhatsApp's id of the business number, not the number itself. */
  readonly phoneNumberId: string;
  /** Aborting it rejects the request with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** A request about a call that exists. */
export interface CallRequest extends RequestBase {
  /** `wacid.…` from the webhook. */
  readonly callId: string;
}

export interface PreAcceptRequest extends CallRequest {
  /** The SDP answer. */
  readonly sdp: string;
}

export interface AcceptRequest extends PreAcceptRequest {
  /** Echoed in later webhooks, at most 512 characters. */
  readonly callbackData?: string;
}

/** Who is dialled. When both are given, WhatsApp takes `to`. */
export type Callee =
  | { readonly to: string; readonly recipient?: string }
  | { readonly to?: undefined; readonly recipient: string };

/** Dials `to` (a phone number in digits, `+` allowed) or `recipient` (a business-scoped user id, `CC.…`). */
export type ConnectRequest = RequestBase &
  Callee & {
    /** The SDP offer. */
    readonly sdp: string;
    /** Echoed in later webhooks, at most 512 characters. */
    readonly callbackData?: string;
  };

const MAX_CALLBACK_DATA_CHARS = 512;

/** The path below the version. */
export function callsPath(phoneNumberId: string): string {
  // It becomes part of the path, so nothing that means something there may be in it.
  if (!/^[0-9A-Za-z_-]{1,64}$/.test(phoneNumberId)) {
    throw optionError("phoneNumberId", "phoneNumberId must be the id of the number at Meta, digits only");
  }
  return `${phoneNumberId}/calls`;
}

/** Body of `reject` and `terminate`. */
export function endPayload(action: "reject" | "terminate", request: CallRequest): object {
  return { messaging_product: "whatsapp", call_id: checkedCallId(request.callId), action };
}

/**
 * Body of `pre_accept` and `accept`.
 *
 * The SDP type is always `answer`: Meta's table says `offer` for every action, and a call accepted with that never connects.
 */
export function answerPayload(action: "pre_accept" | "accept", request: AcceptRequest): object {
  return {
    messaging_product: "whatsapp",
    call_id: checkedCallId(request.callId),
    action,
    session: { sdp_type: "answer", sdp: checkedSdp(request.sdp) },
    ...callbackFields(request.callbackData),
  };
}

/** Body of `connect`. */
export function connectPayload(request: ConnectRequest): object {
  return {
    messaging_product: "whatsapp",
    ...calleeFields(request),
    action: "connect",
    session: { sdp_type: "offer", sdp: checkedSdp(request.sdp) },
    ...callbackFields(request.callbackData),
  };
}

function calleeFields({ to, recipient }: Callee): object {
  if (to !== undefined && !/^\+?\d{5,20}$/.test(to)) {
    throw optionError("to", "to must be a phone number in digits with the country code");
  }
  if (recipient !== undefined && !/^[\w.-]{1,160}$/.test(recipient)) {
    throw optionError("recipient", "recipient must be a business-scoped user id such as US.…");
  }
  if (to === undefined && recipient === undefined) {
    throw optionError("to", "connect needs to or recipient");
  }
  return { ...(to === undefined ? {} : { to }), ...(recipient === undefined ? {} : { recipient }) };
}

function callbackFields(callbackData: string | undefined): object {
  if (callbackData === undefined) return {};
  if (callbackData.length > MAX_CALLBACK_DATA_CHARS) {
    throw optionError("callbackData", `callbackData must have at most ${MAX_CALLBACK_DATA_CHARS} characters`);
  }
  return { biz_opaque_callback_data: callbackData };
}

function checkedCallId(callId: string): string {
  if (callId.length > 0 && callId.length <= 512) return callId;
  throw optionError("callId", "callId must be the id from the webhook (wacid.…)");
}

function checkedSdp(sdp: string): string {
  if (sdp.startsWith("v=0")) return sdp;
  throw optionError("sdp", "sdp must be an SDP text that begins with v=0");
}
