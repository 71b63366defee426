import { FrameBuffer } from "./frame-buffer.ts";

/** Frames of a second and more, of all calls of a full worker. */
const MAX_BATCH_BYTES = 1_048_576;
/** Batches that the other thread has not taken in yet. */
const MAX_IN_FLIGHT = 8;

export interface FrameBatcherOptions {
  /** The buffer is given away; `usedBytes` of it count. */
  readonly send: (buffer: ArrayBuffer, usedBytes: number) => void;
  /** Shared with the other thread, which counts the batches that it has taken in. */
  readonly batchesTaken: Int32Array;
  /** Calls back at the end of this turn of the event loop. */
  readonly schedule: (flush: () => void) => void;
}

/**
 * Gathers the received frames of all calls of a worker and sends them once per turn of the event loop, in their order.
 * When the other thread does not keep up, it holds frames back, and drops the newest above its limit.
 */
export class FrameBatcher {
  /** Frames lost to the limit. */
  dropped = 0;
  readonly #options: FrameBatcherOptions;
  readonly #frames = new FrameBuffer(MAX_BATCH_BYTES);
  #isScheduled = false;
  #sent = 0;

  constructor(options: FrameBatcherOptions) {
    this.#options = options;
  }

  add(call: number, payload: Uint8Array, rtpTimestamp: number): void {
    if (!this.#frames.add(call, payload, rtpTimestamp)) {
      this.dropped += 1;
      return;
    }
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#options.schedule(this.#flush);
  }

  /** Sends what the other thread had no room for when it came. */
  retry(): void {
    if (!this.#isScheduled) this.#flush();
  }

  readonly #flush = (): void => {
    this.#isScheduled = false;
    const { usedBytes } = this.#frames;
    if (usedBytes === 0) return;
    const inFlight = (this.#sent - Atomics.load(this.#options.batchesTaken, 0)) | 0;
    if (inFlight >= MAX_IN_FLIGHT) return;
    this.#sent += 1;
    this.#options.send(this.#frames.take(), usedBytes);
  };
}
