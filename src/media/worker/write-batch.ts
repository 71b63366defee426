import type { Clock } from "../../platform/clock.ts";
import type { TimerHandle, Timers } from "../../platform/timers.ts";
import { FrameBuffer } from "./frame-buffer.ts";
import type { ToWorker } from "./messages.ts";

/** Between two batches, at least: to wake the other thread costs more than what it then does. */
const PAUSE_MS = 5;
/** Two seconds of a call, or 5 ms of a hundred that write ahead. What is longer goes by itself. */
const MAX_BATCH_BYTES = 65_536;

export interface WriteBatcherOptions {
  readonly post: (message: ToWorker, transfer?: readonly ArrayBuffer[]) => void;
  readonly clock: Clock;
  readonly timers: Timers;
}

/**
 * Posts what is asked of the calls of a worker, in order. Samples that are written wait for those that come within 5 ms,
 * whatever their call, or for the next thing that is asked of any call: as 20 ms at a time, they are most of all messages.
 */
export class WriteBatcher {
  readonly #options: WriteBatcherOptions;
  readonly #writes = new FrameBuffer(MAX_BATCH_BYTES);
  #timer: TimerHandle | null = null;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(options: WriteBatcherOptions) {
    this.#options = options;
  }

  post(message: ToWorker, transfer?: readonly ArrayBuffer[]): void {
    if (message.type === "task-order" && message.order.type === "write") {
      const { call, task, order } = message;
      if (this.#add(call, task, order.samples)) return;
    }
    this.#flush();
    this.#options.post(message, transfer);
  }

  #add(call: number, task: number, samples: Int16Array): boolean {
    const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
    if (!this.#writes.add(call, bytes, task)) {
      this.#flush();
      if (!this.#writes.add(call, bytes, task)) return false;
    }
    this.#flushLater();
    return true;
  }

  #flushLater(): void {
    if (this.#timer !== null) return;
    const { clock, timers } = this.#options;
    const delayMs = Math.max(0, this.#lastMs + PAUSE_MS - clock.nowMs());
    this.#timer = timers.setTimer(delayMs, () => {
      this.#timer = null;
      this.#flush();
    });
  }

  #flush(): void {
    const { post, clock, timers } = this.#options;
    if (this.#timer !== null) timers.clearTimer(this.#timer);
    this.#timer = null;
    const { usedBytes } = this.#writes;
    if (usedBytes === 0) return;
    this.#lastMs = clock.nowMs();
    const buffer = this.#writes.take();
    post({ type: "writes", buffer, usedBytes }, [buffer]);
  }
}
