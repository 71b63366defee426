/** Gaps from here on share the last bin. */
const BINS = 2000;

/** Times between packets in bins of 1 ms, so that percentiles of a call of any length need 8 KB. */
export class GapHistogram {
  readonly #bins = new Uint32Array(BINS);
  #count = 0;
  #longestMs = 0;

  get longestMs(): number {
    return this.#longestMs;
  }

  add(gapMs: number): void {
    const bin = Math.min(BINS - 1, Math.max(0, Math.floor(gapMs)));
    this.#bins[bin] = (this.#bins[bin] ?? 0) + 1;
    this.#count += 1;
    if (gapMs > this.#longestMs) this.#longestMs = gapMs;
  }

  /** The gap that `fraction` (0 to 1) of all gaps do not exceed, in ms, 1 ms fine. 0 when there was no gap. */
  percentileMs(fraction: number): number {
    let left = Math.ceil(this.#count * fraction);
    for (let bin = 0; bin < BINS && this.#count > 0; bin += 1) {
      left -= this.#bins[bin] ?? 0;
      if (left <= 0) return bin === BINS - 1 ? this.#longestMs : Math.min(bin + 1, this.#longestMs);
    }
    return 0;
  }
}
