/** What is before each frame: its call, a number that goes with it, and its length, 32 bits each. */
const HEADER_BYTES = 12;
const MIN_BYTES = 4_096;

/** Frames of several calls in memory that goes to another thread. */
export class FrameBuffer {
  readonly #maxBytes: number;
  #buffer = new ArrayBuffer(MIN_BYTES);
  #bytes = new Uint8Array(this.#buffer);
  #view = new DataView(this.#buffer);
  #used = 0;

  /** @param maxBytes It grows to so much. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get usedBytes(): number {
    return this.#used;
  }

  /** Takes a copy. False when there is no room for it. */
  add(call: number, payload: Uint8Array, number: number): boolean {
    const end = this.#used + HEADER_BYTES + payload.length;
    if (end > this.#maxBytes) return false;
    if (end > this.#bytes.length) this.#grow(end);
    this.#view.setUint32(this.#used, call);
    this.#view.setUint32(this.#used + 4, number);
    this.#view.setUint32(this.#used + 8, payload.length);
    this.#bytes.set(payload, this.#used + HEADER_BYTES);
    this.#used = end;
    return true;
  }

  /** Gives the memory away, of which `usedBytes` count, and begins with other memory: as much will come again. */
  take(): ArrayBuffer {
    const taken = this.#buffer;
    this.#replace(new ArrayBuffer(Math.max(MIN_BYTES, this.#used)));
    this.#used = 0;
    return taken;
  }

  #grow(neededBytes: number): void {
    const old = this.#bytes.subarray(0, this.#used);
    this.#replace(new ArrayBuffer(Math.min(this.#maxBytes, neededBytes * 2)));
    this.#bytes.set(old);
  }

  #replace(buffer: ArrayBuffer): void {
    this.#buffer = buffer;
    this.#bytes = new Uint8Array(buffer);
    this.#view = new DataView(buffer);
  }
}

/** Hands on each frame of what a `FrameBuffer` has gathered; the bytes are valid only during the call. */
export function readFrames(
  buffer: ArrayBuffer,
  usedBytes: number,
  onFrame: (call: number, payload: Uint8Array, number: number) => void,
): void {
  const view = new DataView(buffer);
  let at = 0;
  while (at < usedBytes) {
    const payload = new Uint8Array(buffer, at + HEADER_BYTES, view.getUint32(at + 8));
    onFrame(view.getUint32(at), payload, view.getUint32(at + 4));
    at += HEADER_BYTES + payload.length;
  }
}
