const FIRST_CAPACITY_BYTES = 256;

/** Writes TLS's presentation language (RFC 5246 §4). Lengths are the caller's: nothing of ours comes near their limits. */
export class ByteWriter {
  #bytes = new Uint8Array(FIRST_CAPACITY_BYTES);
  #length = 0;

  uint8(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
    return this;
  }

  uint16(value: number): this {
    return this.uint8(value >>> 8).uint8(value);
  }

  uint24(value: number): this {
    return this.uint8(value >>> 16).uint16(value);
  }

  bytes(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  // RFC 5246 §4.3: a vector is its length in bytes, then its elements.

  vector8(bytes: Uint8Array): this {
    return this.uint8(bytes.length).bytes(bytes);
  }

  vector16(bytes: Uint8Array): this {
    return this.uint16(bytes.length).bytes(bytes);
  }

  vector24(bytes: Uint8Array): this {
    return this.uint24(bytes.length).bytes(bytes);
  }

  /** A vector of 16-bit numbers, such as cipher suites. */
  uint16List(values: readonly number[]): this {
    this.uint16(2 * values.length);
    for (const value of values) this.uint16(value);
    return this;
  }

  /** What was written. A view: write nothing after it. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(byteLength: number): void {
    const needed = this.#length + byteLength;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}
