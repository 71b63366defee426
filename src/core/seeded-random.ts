import type { Random } from "./random.ts";

/** Random numbers that are the same for the same seed (mulberry32). For tests and networks that are made up: nothing secret about them. */
export class SeededRandom {
  #state: number;

  /** @param seed Its lower 32 bits count. */
  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** 0 to 2^32 - 1. */
  uint32(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** 0 to less than 1. */
  fraction(): number {
    return this.uint32() / 2 ** 32;
  }

  /** A source of random bytes, for what takes a `Random`. */
  readonly bytes: Random = (byteLength) => {
    const bytes = new Uint8Array(byteLength);
    for (let i = 0; i < byteLength; i += 1) bytes[i] = this.uint32();
    return bytes;
  };
}
