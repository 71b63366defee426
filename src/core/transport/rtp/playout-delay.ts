/** The fastest packet of the last two windows is what all others are late against: routes and clocks change slowly. */
const WINDOW_MS = 2000;
const BUCKET_MS = 10;
/** Share of the packets that come within the delay; the rest is what the decoder conceals anyway. */
const IN_TIME = 0.97;
/** Packets over which the past is forgotten: 10 s of them. */
const MEMORY_PACKETS = 500;

/**
 * Learns from the packets' transit times how long audio has to wait for nearly all of them to be there at their turn.
 *
 * A transit time is arrival less media time, in ms, from an origin that is the same for all: only differences count.
 */
export class PlayoutDelay {
  readonly #minMs: number;
  readonly #maxMs: number;
  /** Share of the packets per 10 ms of lateness, recent ones counting more. */
  readonly #shares: Float64Array;
  #packets = 0;
  #targetMs: number;
  #windowStartMs = 0;
  #windowFastestMs = Number.POSITIVE_INFINITY;
  #formerFastestMs = Number.POSITIVE_INFINITY;

  constructor(minMs: number, maxMs: number) {
    this.#minMs = minMs;
    this.#maxMs = maxMs;
    this.#targetMs = minMs;
    this.#shares = new Float64Array(Math.ceil(maxMs / BUCKET_MS) + 1);
  }

  /** Transit time of the fastest packet of late; Infinity before the first one. */
  get fastestMs(): number {
    return Math.min(this.#windowFastestMs, this.#formerFastestMs);
  }

  /** How long after the fastest packet's time audio should be played. */
  get targetMs(): number {
    return this.#targetMs;
  }

  observe(transitMs: number, nowMs: number): void {
    this.#turnWindow(nowMs);
    if (transitMs < this.#windowFastestMs) this.#windowFastestMs = transitMs;
    this.#packets += 1;
    const lateMs = transitMs - this.fastestMs;
    const index = Math.min(Math.floor(lateMs / BUCKET_MS), this.#shares.length - 1);
    // A plain average at first, so that a few packets are enough; then an exponential one.
    const weight = 1 / Math.min(this.#packets, MEMORY_PACKETS);
    this.#targetMs = this.#clamp(this.#add(index, weight));
  }

  /** Forgets everything, for another stream. */
  reset(): void {
    this.#shares.fill(0);
    this.#packets = 0;
    this.#targetMs = this.#minMs;
    this.#windowFastestMs = Number.POSITIVE_INFINITY;
    this.#formerFastestMs = Number.POSITIVE_INFINITY;
  }

  #turnWindow(nowMs: number): void {
    const elapsedMs = nowMs - this.#windowStartMs;
    if (elapsedMs < WINDOW_MS) return;
    this.#formerFastestMs = elapsedMs < 2 * WINDOW_MS ? this.#windowFastestMs : Number.POSITIVE_INFINITY;
    this.#windowFastestMs = Number.POSITIVE_INFINITY;
    this.#windowStartMs = nowMs;
  }

  /** Counts a packet and returns the lateness, in ms, that enough of them stay within. */
  #add(index: number, weight: number): number {
    const shares = this.#shares;
    let inTime = 0;
    let enough = -1;
    for (let i = 0; i < shares.length; i += 1) {
      const share = (shares[i] ?? 0) * (1 - weight) + (i === index ? weight : 0);
      shares[i] = share;
      inTime += share;
      if (enough < 0 && inTime >= IN_TIME) enough = i;
    }
    return (enough < 0 ? shares.length : enough + 1) * BUCKET_MS;
  }

  #clamp(delayMs: number): number {
    return Math.min(Math.max(delayMs, this.#minMs), this.#maxMs);
  }
}
