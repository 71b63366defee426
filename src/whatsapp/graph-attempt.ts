import type { Dispatcher } from "undici";
import type { GraphSettings } from "./graph-options.ts";

/** Real answers have a few hundred bytes. */
const MAX_RESPONSE_BYTES = 64 * 1024;

/** Faults that come before the request is written, beside those whose system call is `connect`. */
const BEFORE_SENDING: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_CLOSED",
]);

/** What became of one attempt: an HTTP answer, or none. */
export type GraphReply =
  | {
      readonly kind: "answer";
      readonly status: number;
      /** Undefined when the body is not JSON or too large. */
      readonly json: unknown;
      readonly retryAfterMs: number | null;
    }
  | {
      readonly kind: "none";
      readonly reason: "network" | "timeout";
      /** False when the request certainly did not reach Graph. */
      readonly mayHaveArrived: boolean;
      /** Name of the fault, such as `ECONNREFUSED`. */
      readonly faultCode: string | null;
      readonly cause: unknown;
    };

/**
 * Posts once and reads the answer, within `timeoutMs` for both.
 *
 * @throws The signal's reason when it aborts; nothing else.
 */
export async function postOnce(
  dispatcher: Dispatcher,
  settings: GraphSettings,
  path: string,
  payload: string,
  signal: AbortSignal | undefined,
): Promise<GraphReply> {
  signal?.throwIfAborted();
  const attempt = new AbortController();
  const stop = (): void => attempt.abort();
  const timer = setTimeout(stop, settings.timeoutMs);
  signal?.addEventListener("abort", stop, { once: true });
  try {
    const { statusCode, headers, body } = await dispatcher.request({
      origin: settings.origin,
      path: settings.pathPrefix + path,
      method: "POST",
      headers: { authorization: `Bearer ${settings.token}`, "content-type": "application/json" },
      body: payload,
      signal: attempt.signal,
    });
    const json = await readJson(body);
    return { kind: "answer", status: statusCode, json, retryAfterMs: readRetryAfter(headers["retry-after"]) };
  } catch (cause) {
    signal?.throwIfAborted();
    return noAnswer(cause, attempt.signal.aborted);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
}

async function readJson(body: AsyncIterable<Uint8Array>): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body) {
    sizeBytes += chunk.length;
    // Leaving the loop destroys the body, and with it the connection.
    if (sizeBytes > MAX_RESPONSE_BYTES) return undefined;
    chunks.push(chunk);
  }
  return parseJson(Buffer.concat(chunks).toString("utf8"));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the body, which an echoing proxy may have filled with our request.
    return undefined;
  }
}

function noAnswer(cause: unknown, isOverdue: boolean): GraphReply {
  const faultCode = readCode(cause);
  const isTimeout = isOverdue || faultCode === "UND_ERR_CONNECT_TIMEOUT";
  return {
    kind: "none",
    reason: isTimeout ? "timeout" : "network",
    mayHaveArrived: !isBeforeSending(cause),
    faultCode,
    cause,
  };
}

function isBeforeSending(cause: unknown): boolean {
  // With several addresses to try, Node gathers one fault for each.
  if (cause instanceof AggregateError) return cause.errors.length > 0 && cause.errors.every(isBeforeSending);
  if (!(cause instanceof Error)) return false;
  return ("syscall" in cause && cause.syscall === "connect") || BEFORE_SENDING.has(readCode(cause) ?? "");
}

function readCode(cause: unknown): string | null {
  return cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : null;
}

/** Seconds only; the date form is not used by Graph and counts as absent. */
function readRetryAfter(header: string | string[] | undefined): number | null {
  return typeof header === "string" && /^\d{1,9}$/.test(header) ? Number(header) * 1000 : null;
}
