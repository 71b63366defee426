import { z } from "zod";
import { RingbackError } from "../errors.ts";
import { explainCode } from "./error-catalogue.ts";
import type { GraphReply } from "./graph-attempt.ts";
import type { GraphAction } from "./graph-options.ts";
import { textField } from "./webhook-field.ts";

export type GraphError = RingbackError<"GRAPH_REQUEST_FAILED"> | RingbackError<"GRAPH_UNREACHABLE">;

/** An attempt that did not succeed. */
export interface GraphFailure {
  readonly error: GraphError;
  readonly outcome: "refused" | "network" | "timeout" | "bad-response";
  /** `not-sent`: Graph certainly never had it; `refused`: Graph said no; `unknown`: it may have taken effect. */
  readonly effect: "not-sent" | "refused" | "unknown";
  readonly retryAfterMs: number | null;
}

/** What an error is told about its request. `token` is there to be kept out of the texts. */
export interface FailureContext {
  readonly action: GraphAction;
  readonly attempt: number;
  readonly token: string;
}

const MAX_DETAILS_CHARS = 500;

const wholeNumber: z.ZodType<number | null> = z.number().int().nullable().catch(null);
const errorBodySchema = z.looseObject({
  error: z.looseObject({
    code: wholeNumber,
    error_subcode: wholeNumber,
    message: textField,
    is_transient: z.boolean().catch(false),
    fbtrace_id: textField,
    error_data: z.looseObject({ details: textField }).nullable().catch(null),
  }),
});
type ErrorBody = z.infer<typeof errorBodySchema>["error"];

const successSchema = z.looseObject({ success: z.literal(true).optional() });

/** The answer's JSON object when it says success, else null. `messaging_product` and `success` may be absent. */
export function readSuccess(reply: GraphReply): Readonly<Record<string, unknown>> | null {
  if (reply.kind === "none" || reply.status < 200 || reply.status > 299) return null;
  if (errorBodySchema.safeParse(reply.json).success) return null;
  return successSchema.safeParse(reply.json).data ?? null;
}

/** Turns a reply that is no success into the error that users see. */
export function toGraphFailure(reply: GraphReply, context: FailureContext): GraphFailure {
  if (reply.kind === "none") return noAnswerFailure(reply, context);
  const body = errorBodySchema.safeParse(reply.json).data?.error;
  if (body === undefined) return badResponse(reply.status, reply.retryAfterMs, context);
  const error = requestFailed(reply.status, body, context);
  // A fault on Meta's side may have come after the request was carried out.
  const effect = reply.status >= 500 ? "unknown" : "refused";
  return { error, outcome: "refused", effect, retryAfterMs: reply.retryAfterMs };
}

/** The failure for an answer that is neither a success nor an error object of Graph's. */
export function badResponse(
  status: number,
  retryAfterMs: number | null,
  context: FailureContext,
): GraphFailure {
  const isRefused = status >= 400 && status < 500;
  const error = new RingbackError(
    "GRAPH_UNREACHABLE",
    `the answer to ${context.action} (HTTP ${status}) is not one of the Graph API; check the base URL and proxies`,
    {
      details: { reason: "bad-response", attempts: context.attempt },
      retryable: status === 429 || (status >= 500 && !isDial(context)),
    },
  );
  return { error, outcome: "bad-response", effect: isRefused ? "refused" : "unknown", retryAfterMs };
}

function noAnswerFailure(reply: GraphReply & { kind: "none" }, context: FailureContext): GraphFailure {
  const fault = reply.faultCode === null ? "" : ` (${reply.faultCode})`;
  const error = new RingbackError("GRAPH_UNREACHABLE", `${whatFailed(reply)} for ${context.action}${fault}`, {
    details: { reason: reply.reason, attempts: context.attempt },
    retryable: !isLasting(reply.faultCode) && !(reply.mayHaveArrived && isDial(context)),
    cause: withoutTraffic(reply.cause),
  });
  return {
    error,
    outcome: reply.reason,
    effect: reply.mayHaveArrived ? "unknown" : "not-sent",
    retryAfterMs: null,
  };
}

function whatFailed(reply: GraphReply & { kind: "none" }): string {
  if (reply.reason === "timeout") return "the Graph API did not answer in time";
  return reply.mayHaveArrived
    ? "the connection to the Graph API broke before an answer came"
    : "the Graph API was not reached";
}

/** undici's parser keeps the bytes it could not read, which a server that echoes has filled with our request. */
function withoutTraffic(cause: unknown): unknown {
  return cause instanceof Error && "data" in cause ? undefined : cause;
}

function requestFailed(
  status: number,
  body: ErrorBody,
  context: FailureContext,
): RingbackError<"GRAPH_REQUEST_FAILED"> {
  const graphDetails = withoutSecrets(body.error_data?.details ?? body.message, context.token);
  const entry = explainCode(body.code, graphDetails, body.error_subcode);
  const said = graphDetails === null ? "" : `, "${graphDetails}"`;
  const message = `the Graph API refused ${context.action} (HTTP ${status}, ${codeName(body)}${said}): ${entry.meaning} ${entry.nextStep}`;
  return new RingbackError("GRAPH_REQUEST_FAILED", message, {
    details: {
      status,
      graphCode: body.code,
      graphSubcode: body.error_subcode,
      graphDetails,
      traceId: body.fbtrace_id?.slice(0, 64) ?? null,
      meaning: entry.meaning,
      nextStep: entry.nextStep,
    },
    retryable: entry.retryable ?? (body.is_transient || status === 429 || status >= 500),
  });
}

function codeName(body: ErrorBody): string {
  if (body.code === null) return "no code";
  return body.error_subcode === null ? `code ${body.code}` : `code ${body.code}/${body.error_subcode}`;
}

// Graph's texts are short, but nothing promises that they do not quote what was sent: the token goes, phone numbers go,
// and so does everything from the start of an SDP.
function withoutSecrets(details: string | null, token: string): string | null {
  if (details === null) return null;
  const firstLine = details.replaceAll(token, "[token]").split(/v=0|\r|\n|\\r|\\n/, 1)[0] ?? "";
  return withoutNumbers(firstLine.trim().slice(0, MAX_DETAILS_CHARS)) || null;
}

/** A date, or seconds since 1970, tell when to dial again (138012). No phone number is that short after 16 to 19. */
const TIME_OR_NUMBER =
  /(\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?|\b1[6-9]\d{8}\b)|\+?\d(?:[\s().-]{0,2}\d){6,}/g;

function withoutNumbers(details: string): string {
  return details.replace(TIME_OR_NUMBER, (_found, time: string | undefined) => time ?? "[number]");
}

// A repeated dial may ring the phone twice, so a lost answer to it is nothing to try again blindly.
function isDial(context: FailureContext): boolean {
  return context.action === "connect";
}

/** Faults that no repeat cures: certificates that are not trusted, a client that was closed. */
function isLasting(faultCode: string | null): boolean {
  return (
    faultCode !== null &&
    /^(CERT_|ERR_TLS_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|UND_ERR_CLOSED|UND_ERR_DESTROYED)/.test(faultCode)
  );
}
