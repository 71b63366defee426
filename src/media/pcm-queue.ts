/** How the edges of sound are rounded off, so that they do not click: over 5 ms. */
const FADE_SECONDS = 0.005;
/** Memory that there is from the beginning, in slots: as much as waits when sound comes as fast as it is played. */
const FIRST_SLOTS = 8;

/** Samples that wait to be played, given out by the slot. */
export class PcmQueue {
  /** Samples of one slot. */
  readonly frameSamples: number;
  readonly #fadeSamples: number;
  readonly #frame: Int16Array;
  /** A ring. It grows to what waits at a time. */
  #memory: Int16Array;
  /** Of the next sample to be given out. */
  #start = 0;
  #queued = 0;
  #written = 0;
  #last = 0;
  /** What was given out last ended in silence: what comes next begins softly. */
  #isFadeDue = true;

  constructor(rateHz: number) {
    this.frameSamples = rateHz / 50;
    this.#fadeSamples = Math.round(rateHz * FADE_SECONDS);
    this.#frame = new Int16Array(this.frameSamples);
    this.#memory = new Int16Array(FIRST_SLOTS * this.frameSamples);
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

  /** Takes a copy. */
  write(samples: Int16Array): void {
    this.#makeRoom(samples.length);
    const memory = this.#memory;
    const end = (this.#start + this.#queued) % memory.length;
    const beforeWrap = memory.length - end;
    if (samples.length <= beforeWrap) memory.set(samples, end);
    else {
      memory.set(samples.subarray(0, beforeWrap), end);
      memory.set(samples.subarray(beforeWrap));
    }
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
    this.#start = 0;
    this.#queued = 0;
  }

  #give(count: number): Int16Array {
    this.#copy(this.#frame, count);
    this.#start = (this.#start + count) % this.#memory.length;
    this.#queued -= count;
    if (this.#isFadeDue) this.#fadeIn(count);
    this.#last = count > 0 ? (this.#frame[count - 1] ?? 0) : this.#last;
    this.#isFadeDue = count < this.frameSamples;
    if (this.#isFadeDue) this.#fadeOut(count);
    return this.#frame;
  }

  /** The first samples that wait. In a loop: of one slot, it is as quick as `set`, which would need a view of them. */
  #copy(into: Int16Array, count: number): void {
    const memory = this.#memory;
    let at = this.#start;
    for (let i = 0; i < count; i += 1) {
      into[i] = memory[at] ?? 0;
      at = at + 1 === memory.length ? 0 : at + 1;
    }
  }

  #makeRoom(count: number): void {
    const needed = this.#queued + count;
    if (needed <= this.#memory.length) return;
    const grown = new Int16Array(Math.max(needed, 2 * this.#memory.length));
    this.#copy(grown, this.#queued);
    this.#memory = grown;
    this.#start = 0;
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
