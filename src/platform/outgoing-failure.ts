import { errors } from "undici";
import type { RingbackError } from "../errors.ts";
import { requestFailed } from "./outgoing-request-error.ts";

/** What a connection or undici threw, as one of Ringback's. */
export function failureOf(
  cause: unknown,
  url: URL,
  { signal, timeoutMs }: { readonly signal: AbortSignal; readonly timeoutMs: number },
): RingbackError<"REQUEST_FAILED"> {
  if (signal.aborted) {
    return requestFailed("timeout", `${url.origin} did not finish its answer within ${timeoutMs} ms.`, {
      cause,
    });
  }
  // This one quotes the answer, which may echo what was sent: it is not passed on.
  if (cause instanceof errors.HTTPParserError) {
    return requestFailed("bad-response", `${url.origin} sent what is no proper HTTP.`);
  }
  const code = codeOf(cause);
  if (code === "UND_ERR_HEADERS_OVERFLOW" || code === "UND_ERR_RES_CONTENT_LENGTH_MISMATCH") {
    return requestFailed("bad-response", `${url.origin} sent what is no proper HTTP (${code}).`, { cause });
  }
  return requestFailed("network", `${url.origin} was not reached, or broke off (${code}).`, { cause });
}

/** The system's or undici's code, such as `ECONNREFUSED`. */
export function codeOf(cause: unknown): string {
  // With several addresses to try, Node gathers one fault for each.
  if (cause instanceof AggregateError && cause.errors.length > 0) return codeOf(cause.errors[0]);
  const code = cause instanceof Error && "code" in cause ? cause.code : null;
  return typeof code === "string" ? code : "unknown fault";
}
