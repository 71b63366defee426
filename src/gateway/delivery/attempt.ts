import { type DeliveryVerdict, judgeStatus, readRetryAfter } from "../../core/delivery/delivery-answer.ts";
import { signWebhook } from "../../core/delivery/webhook-signature.ts";
import { toEnvelope } from "../../core/events/envelope.ts";
import { isRingbackError } from "../../errors.ts";
import type { Clock } from "../../platform/clock.ts";
import { codeOf } from "../../platform/outgoing-failure.ts";
import type { PostAnswer, RequestPool } from "../../platform/outgoing-pool.ts";
import type { DueDelivery, WallMs, WebhookEndpoint } from "../../store/types.ts";
import { signingSecrets } from "./endpoint-secrets.ts";

/** What came of an attempt. */
export interface AttemptOutcome {
  readonly verdict: DeliveryVerdict;
  /** HTTP status; null when there was no answer. */
  readonly status: number | null;
  /** What went wrong, without anything of the URL or the answer in it. Null when nothing did. */
  readonly error: string | null;
  readonly retryAfterMs: number | null;
}

export interface AttemptDeps {
  readonly pool: RequestPool;
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Calls it off. */
  readonly signal: AbortSignal;
}

/** Makes one attempt. @returns null when it was called off, and nothing is known. */
export async function attemptDelivery(
  delivery: DueDelivery,
  endpoint: WebhookEndpoint,
  deps: AttemptDeps,
): Promise<AttemptOutcome | null> {
  const { pool, clock, timeoutMs, signal } = deps;
  const body = JSON.stringify(toEnvelope(delivery.event, delivery.attempts + 1));
  try {
    const headers = signedHeaders(delivery, endpoint, body, clock.wallMs());
    if (headers === null) return failed("the endpoint's secret cannot be read: give it a new one");
    const answer = await pool.post({ url: endpoint.url, headers, body, timeoutMs, signal });
    return outcomeOf(answer, clock.wallMs());
  } catch (error) {
    return signal.aborted ? null : failed(describe(error));
  }
}

/** Null when a secret is none, or was encrypted with another key. */
function signedHeaders(
  { event }: DueDelivery,
  endpoint: WebhookEndpoint,
  body: string,
  wallMs: WallMs,
): Record<string, string> | null {
  const content = { id: event.id, timestampS: Math.floor(wallMs / 1_000), body };
  const signed = signWebhook(content, signingSecrets(endpoint, wallMs));
  return signed === null ? null : { ...signed, "content-type": "application/json" };
}

function outcomeOf({ status, retryAfter }: PostAnswer, wallMs: number): AttemptOutcome {
  const verdict = judgeStatus(status);
  const isRedirect = status >= 300 && status <= 399;
  const hint = isRedirect ? ": redirects are not followed, give the endpoint the URL that it leads to" : "";
  return {
    verdict,
    status,
    error: verdict === "delivered" ? null : `status ${status}${hint}`,
    retryAfterMs: readRetryAfter(status, retryAfter, wallMs),
  };
}

function failed(error: string): AttemptOutcome {
  return { verdict: "failed", status: null, error, retryAfterMs: null };
}

/** The guard's own messages name addresses inside the network, which whoever made the endpoint need not know. */
function describe(error: unknown): string {
  if (isRingbackError(error, "REQUEST_REFUSED")) return `REQUEST_REFUSED: ${error.details.reason}`;
  if (!isRingbackError(error, "REQUEST_FAILED")) return "the attempt could not be made";
  const { reason } = error.details;
  const code = reason === "network" && error.cause !== undefined ? ` (${codeOf(error.cause)})` : "";
  return `REQUEST_FAILED: ${reason}${code}`;
}
