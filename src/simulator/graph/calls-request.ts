import { type GraphFailure, invalidParameter } from "./graph-failure.ts";

/** Every action of `POST /{phone-number-id}/calls`. Meta Calling API, "Reference" (read 2026-11-22). */
export const GRAPH_ACTIONS = ["connect", "pre_accept", "accept", "reject", "terminate"] as const;
export type GraphAction = (typeof GRAPH_ACTIONS)[number];

export type CallsRequest =
  | { readonly action: "connect" }
  | {
      readonly action: "pre_accept" | "accept";
      readonly callId: string;
      readonly answerSdp: string;
      readonly callbackData: string | null;
    }
  | { readonly action: "reject" | "terminate"; readonly callId: string };

export type CallsRequestResult =
  | { readonly ok: true; readonly request: CallsRequest }
  | { readonly ok: false; readonly failure: GraphFailure };

type JsonObject = Readonly<Record<string, unknown>>;

const MAX_CALLBACK_DATA_CHARS = 512;
const MAX_PURPOSE_CHARS = 250;

/** What a request is about, as far as it tells; for the record of one that is refused. */
export function identifyRequest(body: unknown): {
  readonly action: GraphAction | "unknown";
  readonly callId: string | null;
} {
  if (!isObject(body)) return { action: "unknown", callId: null };
  const callId = body["call_id"];
  return {
    action: GRAPH_ACTIONS.find((name) => name === body["action"]) ?? "unknown",
    callId: isText(callId) ? callId : null,
  };
}

/** Checks the fields that each action needs; unknown fields are let through, as Graph does. */
export function parseCallsRequest(body: unknown): CallsRequestResult {
  if (!isObject(body)) return refuse("The request body must be a JSON object");
  if (body["messaging_product"] !== "whatsapp") return refuse("messaging_product must be whatsapp");
  const action = body["action"];
  switch (action) {
    case "connect":
      return parseConnect(body);
    case "pre_accept":
    case "accept":
      return parseAnswer(body, action);
    case "reject":
    case "terminate":
      return withCallId(body, (callId) => ({ action, callId }));
    default:
      return refuse(`action must be one of ${GRAPH_ACTIONS.join(", ")}`);
  }
}

function parseConnect(body: JsonObject): CallsRequestResult {
  const { to, recipient } = body;
  if (!isText(to) && !isText(recipient)) return refuse("to or recipient is required for connect");
  const problem = sessionProblem(body["session"], "offer", "connect") ?? extrasProblem(body);
  return problem === null ? { ok: true, request: { action: "connect" } } : refuse(problem);
}

function parseAnswer(body: JsonObject, action: "pre_accept" | "accept"): CallsRequestResult {
  const { session } = body;
  const problem =
    sessionProblem(session, "answer", action) ?? (action === "accept" ? extrasProblem(body) : null);
  if (problem !== null) return refuse(problem);
  const answerSdp = isObject(session) ? String(session["sdp"]) : "";
  const data = body["biz_opaque_callback_data"];
  const callbackData = action === "accept" && typeof data === "string" ? data : null;
  return withCallId(body, (callId) => ({ action, callId, answerSdp, callbackData }));
}

function withCallId(body: JsonObject, toRequest: (callId: string) => CallsRequest): CallsRequestResult {
  const callId = body["call_id"];
  if (!isText(callId)) return refuse("call_id is required");
  return { ok: true, request: toRequest(callId) };
}

/** Meta's tables say "offer" for every action; calls answered with it never connect, so it is refused here. */
function sessionProblem(session: unknown, sdpType: "offer" | "answer", action: string): string | null {
  if (!isObject(session)) return `session is required for ${action}`;
  if (session["sdp_type"] !== sdpType) return `session.sdp_type must be ${sdpType} for ${action}`;
  return isText(session["sdp"]) ? null : `session.sdp is required for ${action}`;
}

function extrasProblem(body: JsonObject): string | null {
  const data = body["biz_opaque_callback_data"];
  if (data !== undefined && (typeof data !== "string" || data.length > MAX_CALLBACK_DATA_CHARS)) {
    return `biz_opaque_callback_data must be a string of at most ${MAX_CALLBACK_DATA_CHARS} characters`;
  }
  return captureProblem(body, "recording") ?? captureProblem(body, "transcription");
}

/** Meta Calling API, "Call recording" (read 2026-11-22); transcription has the same shape. */
function captureProblem(body: JsonObject, name: "recording" | "transcription"): string | null {
  const value = body[name];
  if (value === undefined) return null;
  if (!isObject(value)) return `${name} must be an object`;
  const { status, purpose, announcement_language: language } = value;
  if (status !== "ENABLED" && status !== "DISABLED") return `${name}.status must be ENABLED or DISABLED`;
  if (status === "DISABLED") return null;
  if (!isText(purpose) || purpose.length > MAX_PURPOSE_CHARS) {
    return `${name}.purpose must be 1 to ${MAX_PURPOSE_CHARS} characters when status is ENABLED`;
  }
  return isText(language) ? null : `${name}.announcement_language is required when status is ENABLED`;
}

function refuse(details: string): CallsRequestResult {
  return { ok: false, failure: invalidParameter(details) };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length > 0;
}
