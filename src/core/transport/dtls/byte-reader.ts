import { byteAt, uint16At } from "../bytes.ts";

const EMPTY = new Uint8Array(0);

/**
 * Reads TLS's presentation language (RFC 5246 §4) from bytes that nothing vouches for. Past the end it gives zeros and
 * empty bytes: a parser reads all its fields and then asks `isComplete`.
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #offset = 0;
  #isTruncated = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Everything that was asked for was there, and nothing is left. */
  get isComplete(): boolean {
    return !this.#isTruncated && this.#offset === this.#bytes.length;
  }

  /** More may be read. */
  get hasMore(): boolean {
    return !this.#isTruncated && this.#offset < this.#bytes.length;
  }

  uint8(): number {
    return byteAt(this.bytes(1), 0);
  }

  uint16(): number {
    return uint16At(this.bytes(2), 0);
  }

  uint24(): number {
    const bytes = this.bytes(3);
    return (byteAt(bytes, 0) << 16) | uint16At(bytes, 1);
  }

  /** A view of the next `length` bytes. */
  bytes(length: number): Uint8Array {
    const start = this.#offset;
    if (this.#isTruncated || start + length > this.#bytes.length) {
      this.#isTruncated = true;
      return EMPTY;
    }
    this.#offset = start + length;
    return this.#bytes.subarray(start, this.#offset);
  }

  // RFC 5246 §4.3: a vector is its length in bytes, then its elements.

  vector8(): Uint8Array {
    return this.bytes(this.uint8());
  }

  vector16(): Uint8Array {
    return this.bytes(this.uint16());
  }

  vector24(): Uint8Array {
    return this.bytes(this.uint24());
  }

  /** A vector of 16-bit numbers, such as cipher suites. An odd length makes the whole incomplete. */
  uint16List(): readonly number[] {
    const bytes = this.vector16();
    if (bytes.length % 2 !== 0) this.#isTruncated = true;
    const values: number[] = [];
    for (let offset = 0; offset + 1 < bytes.length; offset += 2) values.push(uint16At(bytes, offset));
    return values;
  }
}
