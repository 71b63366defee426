/** What is before each frame in a batch: call, RTP timestamp and length, 32 bits each. */
const HEADER_BYTES = 12;
/** Frames of a second and more, of all calls of a full worker. */
const MAX_BATCH_BYTES = 1_048_576;
const MIN_BATCH_BYTES = 4_096;
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
  #buffer = new ArrayBuffer(MIN_BATCH_BYTES);
  #bytes = new Uint8Array(this.#buffer);
  #view = new DataView(this.#buffer);
  #used = 0;
  #isScheduled = false;
  #sent = 0;

  constructor(options: FrameBatcherOptions) {
    this.#options = options;
  }

  add(call: number, payload: Uint8Array, rtpTimestamp: number): void {
    const end = this.#used + HEADER_BYTES + payload.length;
    if (end > MAX_BATCH_BYTES) {
      this.dropped += 1;
      return;
    }
    if (end > this.#bytes.length) this.#grow(end);
    this.#view.setUint32(this.#used, call);
    this.#view.setUint32(this.#used + 4, rtpTimestamp);
    this.#view.setUint32(this.#used + 8, payload.length);
    this.#bytes.set(payload, this.#used + HEADER_BYTES);
    this.#used = end;
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
    if (this.#used === 0) return;
    const inFlight = (this.#sent - Atomics.load(this.#options.batchesTaken, 0)) | 0;
    if (inFlight >= MAX_IN_FLIGHT) return;
    this.#sent += 1;
    this.#options.send(this.#buffer, this.#used);
    // As many will come in the next turn.
    this.#replace(new ArrayBuffer(Math.max(MIN_BATCH_BYTES, this.#used)));
    this.#used = 0;
  };

  #grow(neededBytes: number): void {
    const old = this.#bytes.subarray(0, this.#used);
    this.#replace(new ArrayBuffer(Math.min(MAX_BATCH_BYTES, neededBytes * 2)));
    this.#bytes.set(old);
  }

  #replace(buffer: ArrayBuffer): void {
    this.#buffer = buffer;
    this.#bytes = new Uint8Array(buffer);
    this.#view = new DataView(buffer);
  }
}

/** Hands on each frame of a batch; the bytes are valid only during the call. */
export function readFrames(
  buffer: ArrayBuffer,
  usedBytes: number,
  onFrame: (call: number, payload: Uint8Array, rtpTimestamp: number) => void,
): void {
  const view = new DataView(buffer);
  let at = 0;
  while (at < usedBytes) {
    const payload = new Uint8Array(buffer, at + HEADER_BYTES, view.getUint32(at + 8));
    onFrame(view.getUint32(at), payload, view.getUint32(at + 4));
    at += HEADER_BYTES + payload.length;
  }
}
