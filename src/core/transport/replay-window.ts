const WORD_BITS = 32;
const WORDS = 8;

/**
 * Sliding window over packet indexes up to 2^53 (RFC 3711 §3.3.2, RFC 6347 §4.1.2.6).
 *
 * Holds at least the last 225 indexes, at most 256: it moves by whole words (RFC 6479), so that no bit is ever shifted.
 */
export class ReplayWindow {
  /** Bit `index % 32` of word `index / 32 % 8` says that the index was seen. */
  readonly #seen = new Int32Array(WORDS);
  #highestWord = 0;

  /** True when the index is new and not too old. Changes nothing. @param index A whole number, not negative. */
  isNew(index: number): boolean {
    const word = Math.floor(index / WORD_BITS);
    if (word > this.#highestWord) return true;
    if (word <= this.#highestWord - WORDS) return false;
    // `%` on numbers beyond 32 bits is slow; `&` takes their low bits, and those are right up to 2^53.
    return ((this.#seen[word & (WORDS - 1)] ?? 0) & (1 << (index & (WORD_BITS - 1)))) === 0;
  }

  /** Remembers an index whose packet has proved authentic. One that is too old changes nothing. */
  accept(index: number): void {
    const word = Math.floor(index / WORD_BITS);
    if (word <= this.#highestWord - WORDS) return;
    if (word > this.#highestWord) this.#moveTo(word);
    const slot = word & (WORDS - 1);
    this.#seen[slot] = (this.#seen[slot] ?? 0) | (1 << (index & (WORD_BITS - 1)));
  }

  #moveTo(word: number): void {
    const cleared = Math.min(word - this.#highestWord, WORDS);
    for (let i = 0; i < cleared; i++) this.#seen[(word - i) & (WORDS - 1)] = 0;
    this.#highestWord = word;
  }
}
