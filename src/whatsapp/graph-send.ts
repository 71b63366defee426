import type { Dispatcher } from "undici";
import { isAlreadyAccepted } from "./error-catalogue.ts";
import { type GraphReply, postOnce } from "./graph-attempt.ts";
import { badResponse, type GraphFailure, readSuccess, toGraphFailure } from "./graph-failure.ts";
import type { GraphAction, GraphAttempt, GraphClientOptions, GraphSettings } from "./graph-options.ts";

type Answer = Readonly<Record<string, unknown>>;

/** All that the requests of one client share. */
export interface GraphLink {
  readonly dispatcher: Dispatcher;
  readonly settings: GraphSettings;
  readonly random: () => number;
  readonly sleep: NonNullable<GraphClientOptions["sleep"]>;
  readonly nowMs: () => number;
  readonly onAttempt: ((attempt: GraphAttempt) => void) | undefined;
}

/** One request to `/{phone-number-id}/calls`. */
export interface GraphCall<T> {
  readonly action: GraphAction;
  readonly path: string;
  readonly payload: object;
  readonly signal: AbortSignal | undefined;
  /** Takes the result out of the JSON object of a success; null when it lacks what the action needs. */
  readonly read: (answer: Answer) => T | null;
  /** The result when a repeat is refused because the lost attempt was taken; null when the action knows no such thing. */
  readonly takenBefore: T | null;
}

/**
 * Sends a request, repeats it where that is safe, and resolves with what it answers.
 *
 * `pre_accept`, `accept`, `reject` and `terminate` have one effect however often they come, so they are repeated after every
 * fault that may pass. A repeat of `pre_accept` or `accept` that is refused as taken already means that the lost attempt
 * had arrived, and is a success. `connect` rings a phone: it is repeated only when the request was certainly never sent.
 *
 * @throws {RingbackError} `GRAPH_REQUEST_FAILED`, `GRAPH_UNREACHABLE`; the signal's reason when it aborts.
 */
export async function sendGraphCall<T>(link: GraphLink, call: GraphCall<T>): Promise<T> {
  const body = JSON.stringify(call.payload);
  let mayHaveArrived = false;
  for (let attempt = 1; ; attempt += 1) {
    const result = await attemptOnce(link, call, body, attempt);
    if (result.failure === null) return result.value;
    const { failure } = result;
    const wasTaken = mayHaveArrived && isAlreadyAccepted(failure.error);
    if (wasTaken && call.takenBefore !== null) return call.takenBefore;
    mayHaveArrived ||= failure.effect === "unknown";
    const delayMs =
      attempt < link.settings.attempts ? repeatDelayMs(link, call.action, failure, attempt) : null;
    if (delayMs === null) throw failure.error;
    await link.sleep(delayMs, call.signal);
  }
}

/** Waits with a timer. @throws The signal's reason when it aborts. */
export function sleepMs(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, delayMs);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

type AttemptResult<T> = { readonly failure: null; readonly value: T } | { readonly failure: GraphFailure };

async function attemptOnce<T>(
  link: GraphLink,
  call: GraphCall<T>,
  body: string,
  attempt: number,
): Promise<AttemptResult<T>> {
  const startMs = link.nowMs();
  const reply = await postOnce(link.dispatcher, link.settings, call.path, body, call.signal);
  const result = judge(link, call, reply, attempt);
  tellAttempt(link, {
    action: call.action,
    attempt,
    durationMs: link.nowMs() - startMs,
    status: reply.kind === "answer" ? reply.status : null,
    outcome: result.failure?.outcome ?? "ok",
  });
  return result;
}

function judge<T>(link: GraphLink, call: GraphCall<T>, reply: GraphReply, attempt: number): AttemptResult<T> {
  const context = { action: call.action, attempt, token: link.settings.token };
  const answer = readSuccess(reply);
  if (answer === null || reply.kind === "none") return { failure: toGraphFailure(reply, context) };
  const value = call.read(answer);
  return value === null ? { failure: badResponse(reply.status, null, context) } : { failure: null, value };
}

/** Delay before the next attempt; null when there must be none. */
function repeatDelayMs(
  link: GraphLink,
  action: GraphAction,
  failure: GraphFailure,
  attempt: number,
): number | null {
  const { baseDelayMs, maxDelayMs } = link.settings;
  if (!failure.error.retryable) return null;
  if (action === "connect" && failure.effect !== "not-sent") return null;
  if (failure.retryAfterMs !== null) return failure.retryAfterMs <= maxDelayMs ? failure.retryAfterMs : null;
  const fullMs = Math.min(maxDelayMs, baseDelayMs * 2 ** (attempt - 1));
  // Half of the delay is fixed and half random, so that many calls that fail together do not come back together.
  return fullMs * (0.5 + 0.5 * link.random());
}

function tellAttempt(link: GraphLink, attempt: GraphAttempt): void {
  try {
    link.onAttempt?.(attempt);
  } catch {
    // A fault of an observer must not fail a call.
  }
}
