import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from "node:crypto";
import type { CipherSuite } from "./cipher-suites.ts";

const TAG_BYTES = 16;
const NONCE_BYTES = 12;
/** RFC 5288 §3: the part of a GCM nonce that travels with the record. */
const EXPLICIT_NONCE_BYTES = 8;
/** DTLS 1.2 on the wire, RFC 6347 §4.1. */
const VERSION = 0xfefd;

// All three AEADs have the same tag and nonce lengths. Node types GCM and ChaCha20 apart though the calls are alike.
const AEAD_OPTIONS = { authTagLength: TAG_BYTES } as const;

/** One direction's AEAD protection of DTLS 1.2 records (RFC 5246 §6.2.3.3, RFC 6347 §4.1.2.1). */
export class RecordCipher {
  readonly #algorithm: "aes-128-gcm";
  readonly #key: KeyObject;
  readonly #fixedIv: Uint8Array;
  readonly #explicitNonceBytes: number;

  constructor(suite: CipherSuite, key: Uint8Array, fixedIv: Uint8Array) {
    this.#algorithm = suite.aead as "aes-128-gcm";
    this.#key = createSecretKey(key);
    this.#fixedIv = Uint8Array.from(fixedIv);
    this.#explicitNonceBytes = NONCE_BYTES - suite.fixedIvBytes;
  }

  /** @param sequence 48 bits. @returns The record's payload: explicit nonce (where the suite has one), ciphertext, tag. */
  seal(contentType: number, epoch: number, sequence: number, plaintext: Uint8Array): Uint8Array {
    const counter = recordCounter(epoch, sequence);
    const cipher = createCipheriv(this.#algorithm, this.#key, this.#nonce(counter), AEAD_OPTIONS);
    cipher.setAAD(additionalData(counter, contentType, plaintext.length));
    // RFC 5288 §3 leaves the explicit nonce open; the record's own counter never repeats under a key.
    const explicitNonce = counter.subarray(0, this.#explicitNonceBytes);
    return Buffer.concat([explicitNonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  }

  /** @returns The plaintext; null when it is too short or not authentic. Never throws. */
  open(contentType: number, epoch: number, sequence: number, payload: Uint8Array): Uint8Array | null {
    const plaintextBytes = payload.length - this.#explicitNonceBytes - TAG_BYTES;
    if (plaintextBytes < 0) return null;
    const counter = recordCounter(epoch, sequence);
    // The sender chooses the explicit nonce: it need not be the record's counter.
    const nonce = this.#nonce(this.#explicitNonceBytes > 0 ? payload : counter);
    const decipher = createDecipheriv(this.#algorithm, this.#key, nonce, AEAD_OPTIONS);
    decipher.setAAD(additionalData(counter, contentType, plaintextBytes));
    const tagStart = this.#explicitNonceBytes + plaintextBytes;
    decipher.setAuthTag(payload.subarray(tagStart));
    const plaintext = decipher.update(payload.subarray(this.#explicitNonceBytes, tagStart));
    try {
      decipher.final();
    } catch {
      return null; // The tag is wrong.
    }
    return plaintext;
  }

  #nonce(counter: Uint8Array): Uint8Array {
    const nonce = new Uint8Array(NONCE_BYTES);
    nonce.set(this.#fixedIv);
    // Where the fixed IV fills the nonce (RFC 7905 §2) the counter is XORed in, else appended: XOR onto zeros.
    const counterStart = NONCE_BYTES - EXPLICIT_NONCE_BYTES;
    for (let i = 0; i < EXPLICIT_NONCE_BYTES; i++) {
      nonce[counterStart + i] = (nonce[counterStart + i] ?? 0) ^ (counter[i] ?? 0);
    }
    return nonce;
  }
}

/** RFC 6347 §4.1.2.1: epoch and sequence number together stand where TLS has its 64-bit sequence number. */
function recordCounter(epoch: number, sequence: number): Uint8Array {
  const counter = Buffer.alloc(EXPLICIT_NONCE_BYTES);
  counter.writeUInt16BE(epoch, 0);
  counter.writeUIntBE(sequence, 2, 6);
  return counter;
}

/** RFC 5246 §6.2.3.3: counter, content type, version, length of the plaintext. */
function additionalData(counter: Uint8Array, contentType: number, plaintextBytes: number): Uint8Array {
  const data = Buffer.alloc(13);
  data.set(counter);
  data.writeUInt8(contentType, 8);
  data.writeUInt16BE(VERSION, 9);
  data.writeUInt16BE(plaintextBytes, 11);
  return data;
}
