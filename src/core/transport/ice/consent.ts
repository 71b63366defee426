import { type Random, randomUint32 } from "../../random.ts";

/** RFC 7675 §5.1: between checks, times 0.8 to 1.2 at random, so that many calls' checks do not come at once. */
export const CONSENT_INTERVAL_MS = 5_000;
/** RFC 7675 §5.1: without an answer for this long, nothing may be sent any more. */
export const CONSENT_EXPIRY_MS = 30_000;
/**
 * Time for an answer before the next check, which does not wait for the interval then: after a loss, or when a NAT
 * has forgotten us, each check opens the path anew. 30 a call at most, for they end with an answer or the expiry.
 */
export const CONSENT_RETRY_MS = 1_000;

/** The peer's consent to get our media on the selected pair (RFC 7675): when to ask, and when it is lost. */
export class Consent {
  readonly #random: Random;
  #expiresAtMs = Number.POSITIVE_INFINITY;
  #regularAtMs = Number.POSITIVE_INFINITY;
  #retryAtMs = Number.POSITIVE_INFINITY;
  #isUnanswered = false;

  constructor(random: Random) {
    this.#random = random;
  }

  get expiresAtMs(): number {
    return this.#expiresAtMs;
  }

  get nextCheckAtMs(): number {
    return this.#isUnanswered ? this.#retryAtMs : this.#regularAtMs;
  }

  /** The latest check has had no answer so far. */
  get isUnanswered(): boolean {
    return this.#isUnanswered;
  }

  /** Another pair is selected, which answered last at `answeredMs`. */
  begin(answeredMs: number, nowMs: number): void {
    this.#expiresAtMs = answeredMs + CONSENT_EXPIRY_MS;
    this.#isUnanswered = false;
    this.#regularAtMs = nowMs + this.#interval();
  }

  onCheckSent(nowMs: number): void {
    this.#isUnanswered = true;
    this.#retryAtMs = nowMs + CONSENT_RETRY_MS;
    this.#regularAtMs = nowMs + this.#interval();
  }

  /** The selected pair has answered, whatever check it was. */
  onAnswer(nowMs: number): void {
    this.#isUnanswered = false;
    this.#expiresAtMs = nowMs + CONSENT_EXPIRY_MS;
  }

  /** Asks at once, if no check is on its way: there is reason to doubt the path. */
  askNow(nowMs: number): void {
    if (!this.#isUnanswered) this.#regularAtMs = nowMs;
  }

  #interval(): number {
    return CONSENT_INTERVAL_MS * (0.8 + (0.4 * randomUint32(this.#random)) / 2 ** 32);
  }
}
