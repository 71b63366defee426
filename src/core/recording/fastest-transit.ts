/** What is the fastest of late changes with routes and with the drift of clocks, both slow. */
const WINDOW_MS = 5_000;
/** Of fewer packets, as in a pause of the speaker's, none may have been fast. */
const WINDOW_PACKETS = 50;

/**
 * The transit time of the fastest packets of late. All others were held up in the network by what they took longer.
 *
 * A transit time is arrival less media time, in ms, from an origin that is the same for all: only differences count.
 */
export class FastestTransit {
  #windowStartMs = 0;
  #windowPackets = 0;
  #windowFastestMs = Number.POSITIVE_INFINITY;
  #formerFastestMs: number;

  /** @param knownMs What was learnt elsewhere; null when nothing was. */
  constructor(knownMs: number | null) {
    this.#formerFastestMs = knownMs ?? Number.POSITIVE_INFINITY;
  }

  /** Infinity before the first packet, when nothing is known. */
  get ms(): number {
    return Math.min(this.#windowFastestMs, this.#formerFastestMs);
  }

  observe(transitMs: number, nowMs: number): void {
    if (this.#windowPackets === 0) this.#windowStartMs = nowMs;
    else this.#turnWindow(nowMs);
    this.#windowPackets += 1;
    if (transitMs < this.#windowFastestMs) this.#windowFastestMs = transitMs;
  }

  #turnWindow(nowMs: number): void {
    if (nowMs - this.#windowStartMs < WINDOW_MS || this.#windowPackets < WINDOW_PACKETS) return;
    this.#formerFastestMs = this.#windowFastestMs;
    this.#windowFastestMs = Number.POSITIVE_INFINITY;
    this.#windowPackets = 0;
    this.#windowStartMs = nowMs;
  }
}
