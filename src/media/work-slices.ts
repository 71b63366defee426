import type { Clock } from "../platform/clock.ts";

/**
 * Divides long work into slices with a turn of the event loop between them, so that packets, timers and requests are served
 * meanwhile. All work that shares one instance shares the slices too, in turn.
 */
export class WorkSlices {
  readonly #clock: Clock;
  readonly #sliceMs: number;
  readonly #waiting: (() => void)[] = [];
  #isScheduled = false;
  #endMs = 0;

  constructor(clock: Clock, sliceMs: number) {
    this.#clock = clock;
    this.#sliceMs = sliceMs;
  }

  /** True when the work at hand has to wait for `next` before it goes on. */
  get isSpent(): boolean {
    return this.#clock.nowMs() >= this.#endMs;
  }

  /** Resolves at the beginning of a slice, one waiter per turn of the event loop. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#endMs = this.#clock.nowMs() + this.#sliceMs;
      this.#waiting.shift()?.();
      if (this.#waiting.length > 0) this.#schedule();
    });
  }
}
