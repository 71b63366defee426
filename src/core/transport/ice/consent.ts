import { type Random, randomUint32 } from "../../random.ts";

/** RFC 7675 §5.1: between checks, times 0.8 to 1.2 at random, so that many calls' checks do not come at once. */
export const CONSENT_INTERVAL_MS = 5_000;
/** RFC 7675 §5.1: without an answer for this long, nothing may be sent any more. */
export const CONSENT_EXPIRY_MS = 30_000;
/**
 * Time for an answer before the next check, which does not wait for the interval then: after a loss, or when a NAT
 * has forgotten us, each check opens the path anew. An answer or the expiry ends this after 60 checks at most.
 */
export const CONSENT_RETRY_MS = 500;
/** Checks without an answer after which a pair that does answer is the better one. One may just be lost. */
const DOUBTFUL_CHECKS = 2;
/** Checks without an answer after which the path counts as lost, two seconds in all: losses alone hardly ever look so. */
const SILENT_CHECKS = 4;

/** The peer's consent to get our media on the selected pair (RFC 7675): when to ask, and when it is lost. */
export class Consent {
  readonly #random: Random;
  #expiresAtMs = Number.POSITIVE_INFINITY;
  #regularAtMs = Number.POSITIVE_INFINITY;
  #retryAtMs = Number.POSITIVE_INFINITY;
  /** Checks since the latest answer. */
  #unansweredChecks = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  get expiresAtMs(): number {
    return this.#expiresAtMs;
  }

  get nextCheckAtMs(): number {
    return this.#unansweredChecks > 0 ? this.#retryAtMs : this.#regularAtMs;
  }

  /** The latest checks have had no answer, each for as long as `CONSENT_RETRY_MS` when the next one is due. */
  get isDoubtful(): boolean {
    return this.#unansweredChecks >= DOUBTFUL_CHECKS;
  }

  /** The peer is not heard of any more: it is time to look for it elsewhere. */
  get isSilent(): boolean {
    return this.#unansweredChecks > SILENT_CHECKS;
  }

  /** Another pair is selected, which answered last at `answeredMs`. */
  begin(answeredMs: number, nowMs: number): void {
    this.#expiresAtMs = answeredMs + CONSENT_EXPIRY_MS;
    this.#unansweredChecks = 0;
    this.#regularAtMs = nowMs + this.#interval();
  }

  onCheckSent(nowMs: number): void {
    this.#unansweredChecks += 1;
    this.#retryAtMs = nowMs + CONSENT_RETRY_MS;
    this.#regularAtMs = nowMs + this.#interval();
  }

  /** The selected pair has answered, whatever check it was. */
  onAnswer(nowMs: number): void {
    this.#unansweredChecks = 0;
    this.#expiresAtMs = nowMs + CONSENT_EXPIRY_MS;
  }

  /** Asks at once, if no check is on its way: there is reason to doubt the path. */
  askNow(nowMs: number): void {
    if (this.#unansweredChecks === 0) this.#regularAtMs = nowMs;
  }

  #interval(): number {
    return CONSENT_INTERVAL_MS * (0.8 + (0.4 * randomUint32(this.#random)) / 2 ** 32);
  }
}
