/** How the edges of sound are rounded off, so that they do not click: over 5 ms. */
const FADE_SECONDS = 0.005;

/** Samples that wait to be played, given out by the slot. */
export class PcmQueue {
  /** Samples of one slot. */
  readonly frameSamples: number;
  readonly #fadeSamples: number;
  readonly #frame: Int16Array;
  readonly #chunks: Int16Array[] = [];
  /** Of the first chunk. */
  #offset = 0;
  #queued = 0;
  #written = 0;
  #last = 0;
  /** What was given out last ended in silence: what comes next begins softly. */
  #isFadeDue = true;

  constructor(rateHz: number) {
    this.frameSamples = rateHz / 50;
    this.#fadeSamples = Math.round(rateHz * FADE_SECONDS);
    this.#frame = new Int16Array(this.frameSamples);
  }

  /** Samples that wait. */
  get queued(): number {
    return this.#queued;
  }

  /** Position behind the last sample that was written, counted from the first one ever. */
  get written(): number {
    return this.#written;
  }

  /** Position behind the last sample that was given out or dropped. */
  get taken(): number {
    return this.#written - this.#queued;
  }

  write(samples: Int16Array): void {
    if (samples.length === 0) return;
    this.#chunks.push(samples);
    this.#queued += samples.length;
    this.#written += samples.length;
  }

  /**
   * The next slot's samples, in the same memory each time. Where they do not fill it, the sound dies away within 5 ms and silence
   * follows.
   */
  take(): Int16Array {
    return this.#give(Math.min(this.frameSamples, this.#queued));
  }

  /** A slot in which the sound dies away, and what waits goes on waiting. */
  dieAway(): Int16Array {
    return this.#give(0);
  }

  /** Drops what waits. */
  clear(): void {
    this.#chunks.length = 0;
    this.#offset = 0;
    this.#queued = 0;
  }

  #give(count: number): Int16Array {
    this.#copy(count);
    if (this.#isFadeDue) this.#fadeIn(count);
    this.#last = count > 0 ? (this.#frame[count - 1] ?? 0) : this.#last;
    this.#isFadeDue = count < this.frameSamples;
    if (this.#isFadeDue) this.#fadeOut(count);
    return this.#frame;
  }

  #copy(count: number): void {
    let filled = 0;
    while (filled < count) {
      const chunk = this.#chunks[0];
      if (chunk === undefined) break;
      const part = chunk.subarray(this.#offset, this.#offset + count - filled);
      this.#frame.set(part, filled);
      filled += part.length;
      this.#offset += part.length;
      if (this.#offset < chunk.length) break;
      this.#chunks.shift();
      this.#offset = 0;
    }
    this.#queued -= count;
  }

  #fadeIn(count: number): void {
    const length = Math.min(this.#fadeSamples, count);
    for (let i = 0; i < length; i += 1) this.#frame[i] = Math.round(((this.#frame[i] ?? 0) * i) / length);
  }

  #fadeOut(start: number): void {
    const length = Math.min(this.#fadeSamples, this.frameSamples - start);
    for (let i = 0; i < length; i += 1) {
      this.#frame[start + i] = Math.round(this.#last * (1 - (i + 1) / length));
    }
    this.#frame.fill(0, start + length);
    this.#last = 0;
  }
}
