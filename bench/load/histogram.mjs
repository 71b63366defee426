const BINS_PER_MS = 10;
const LONGEST_MS = 2_000;

/** Times in bins of 0.1 ms; longer ones than two seconds count as two seconds. */
export class Histogram {
  #bins = new Uint32Array(LONGEST_MS * BINS_PER_MS + 1);
  #count = 0;
  #maxMs = 0;

  add(ms) {
    this.#bins[ms < LONGEST_MS ? (ms * BINS_PER_MS) | 0 : LONGEST_MS * BINS_PER_MS] += 1;
    this.#count += 1;
    if (ms > this.#maxMs) this.#maxMs = ms;
  }

  clear() {
    this.#bins.fill(0);
    this.#count = 0;
    this.#maxMs = 0;
  }

  /** Upper edge of the bin that the share of all times ends in. */
  at(share) {
    let left = Math.ceil(this.#count * share);
    for (let bin = 0; bin < this.#bins.length; bin++) {
      left -= this.#bins[bin];
      if (left <= 0) return (bin + 1) / BINS_PER_MS;
    }
    return this.#maxMs;
  }

  summary() {
    if (this.#count === 0) return null;
    const max = Math.round(this.#maxMs * BINS_PER_MS) / BINS_PER_MS;
    return { p50: this.at(0.5), p99: this.at(0.99), p999: this.at(0.999), max };
  }
}
