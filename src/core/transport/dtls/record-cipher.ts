import type { CipherSuite } from "./cipher-suites.ts";

/** One direction's AEAD protection of DTLS 1.2 records (RFC 5246 §6.2.3.3, RFC 6347 §4.1.2.1). */
export class RecordCipher {
  constructor(_suite: CipherSuite, _key: Uint8Array, _fixedIv: Uint8Array) {
    throw new Error("not built yet");
  }

  /** @param sequence 48 bits. @returns The record's payload: explicit nonce (where the suite has one), ciphertext, tag. */
  seal(_contentType: number, _epoch: number, _sequence: number, _plaintext: Uint8Array): Uint8Array {
    throw new Error("not built yet");
  }

  /** @returns The plaintext; null when it is too short or not authentic. Never throws. */
  open(_contentType: number, _epoch: number, _sequence: number, _payload: Uint8Array): Uint8Array | null {
    throw new Error("not built yet");
  }
}
