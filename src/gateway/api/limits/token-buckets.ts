import type { Rate } from "./api-limits.ts";

export interface BucketState {
  /** False: nothing was taken. */
  readonly allowed: boolean;
  /** Whole requests that may follow at once. */
  readonly remaining: number;
  /** Until one more is allowed, in ms; 0 when one is. */
  readonly retryAfterMs: number;
  /** Until the bucket is full again, in ms. */
  readonly resetMs: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Token buckets by name. Bounded: beyond `maxBuckets`, the one that was asked for longest ago is forgotten, and so full again. */
export class TokenBuckets {
  readonly #rate: Rate;
  readonly #maxBuckets: number;
  /** In the order they were last asked for. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate, maxBuckets: number) {
    this.#rate = rate;
    this.#maxBuckets = maxBuckets;
  }

  get size(): number {
    return this.#buckets.size;
  }

  get rate(): Rate {
    return this.#rate;
  }

  /** Takes one, if there is one. `nowMs` is monotonic. */
  take(name: string, nowMs: number): BucketState {
    const bucket = this.#refilled(name, nowMs);
    const allowed = bucket.tokens >= 1;
    if (allowed) bucket.tokens -= 1;
    const { burst, perSecond } = this.#rate;
    const missing = Math.max(0, 1 - bucket.tokens);
    return {
      allowed,
      remaining: Math.floor(bucket.tokens),
      retryAfterMs: Math.ceil((missing * 1_000) / perSecond),
      resetMs: Math.ceil(((burst - bucket.tokens) * 1_000) / perSecond),
    };
  }

  #refilled(name: string, nowMs: number): Bucket {
    const { burst, perSecond } = this.#rate;
    const bucket = this.#buckets.get(name) ?? { tokens: burst, atMs: nowMs };
    const passedMs = Math.max(0, nowMs - bucket.atMs);
    bucket.tokens = Math.min(burst, bucket.tokens + (passedMs * perSecond) / 1_000);
    bucket.atMs = nowMs;
    this.#buckets.delete(name);
    this.#buckets.set(name, bucket);
    if (this.#buckets.size > this.#maxBuckets) this.#forgetOldest();
    return bucket;
  }

  #forgetOldest(): void {
    for (const name of this.#buckets.keys()) {
      this.#buckets.delete(name);
      return;
    }
  }
}
