const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** Waits behind the first, second, … failure; the last one from then on. */
export const RETRY_DELAYS_MS: readonly number[] = [
  5 * SECOND_MS,
  30 * SECOND_MS,
  2 * MINUTE_MS,
  10 * MINUTE_MS,
  HOUR_MS,
  6 * HOUR_MS,
];

/** Each wait is up to this part longer or shorter, so that what failed together is not repeated together. */
export const RETRY_JITTER = 0.2;

/** How long a delivery is tried. */
export const RETRY_LIMIT_MS: number = 24 * HOUR_MS;

/** However late the first attempt was (the gateway was off, an earlier event of the call stood before it): no fewer than this. */
export const MIN_ATTEMPTS = 5;

/** A receiver's own wish is heeded in these bounds. */
export const RETRY_AFTER_MS: { readonly min: number; readonly max: number } = {
  min: SECOND_MS,
  max: HOUR_MS,
};

export interface FailedAttempt {
  /** Made so far, with this one. */
  readonly attempts: number;
  /** Wall times in ms. */
  readonly firstAtMs: number;
  readonly nowMs: number;
  /** What the receiver asked for; null: nothing. */
  readonly retryAfterMs: number | null;
  /** Random, 0 to less than 1. */
  readonly fraction: number;
}

/** When to try again, in wall time; null: not any more. The last attempt is made when the time is over, not long before. */
export function retryAt(failed: FailedAttempt): number | null {
  const { attempts, firstAtMs, nowMs, retryAfterMs, fraction } = failed;
  const endMs = firstAtMs + RETRY_LIMIT_MS;
  if (nowMs >= endMs && attempts >= MIN_ATTEMPTS) return null;
  // Never earlier than asked for.
  if (retryAfterMs !== null) return nowMs + boundedRetryAfter(retryAfterMs) * (1 + RETRY_JITTER * fraction);
  const delayMs = RETRY_DELAYS_MS[Math.min(attempts, RETRY_DELAYS_MS.length) - 1] ?? HOUR_MS;
  const atMs = nowMs + delayMs * (1 - RETRY_JITTER + 2 * RETRY_JITTER * fraction);
  const mayBeLast = attempts + 1 >= MIN_ATTEMPTS && nowMs < endMs;
  return mayBeLast ? Math.min(atMs, endMs) : atMs;
}

export function boundedRetryAfter(ms: number): number {
  return Math.min(Math.max(ms, RETRY_AFTER_MS.min), RETRY_AFTER_MS.max);
}
