import { createHash } from "node:crypto";
import type { PrfHash } from "./prf.ts";

const FIRST_CAPACITY_BYTES = 4096;

/**
 * The handshake's messages so far, as they are hashed and signed (RFC 5246 §7.4.9, RFC 6347 §4.2.6).
 *
 * The bytes are kept, not a running hash: the suite's hash is unknown until the ServerHello, and CertificateVerify is
 * signed with a hash of the signer's choice. A handshake has 2 to 4 KB; the limits of `Reassembler` bound it.
 */
export class Transcript {
  #buffer = new Uint8Array(FIRST_CAPACITY_BYTES);
  #length = 0;

  /** A view, valid until the next `add`. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /** @param raw A message with its header, unfragmented. */
  add(raw: Uint8Array): void {
    const needed = this.#length + raw.length;
    if (needed > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(needed, 2 * this.#buffer.length));
      grown.set(this.bytes);
      this.#buffer = grown;
    }
    this.#buffer.set(raw, this.#length);
    this.#length = needed;
  }

  clear(): void {
    this.#length = 0;
  }

  hash(algorithm: PrfHash): Uint8Array {
    return createHash(algorithm).update(this.bytes).digest();
  }
}
