import type { PrfHash } from "./prf.ts";

export interface CipherSuite {
  /** IANA id. */
  readonly id: number;
  readonly name: string;
  /** The kind of key in the server's certificate. */
  readonly authentication: "ecdsa" | "rsa";
  readonly aead: "aes-128-gcm" | "aes-256-gcm" | "chacha20-poly1305";
  readonly prfHash: PrfHash;
  readonly keyBytes: number;
  /** Bytes of the implicit part of the nonce from the key block: 4 for GCM (RFC 5288 §3), 12 for ChaCha20 (RFC 7905 §2). */
  readonly fixedIvBytes: number;
}

/** Ours, the best first: all ECDHE with an AEAD. */
export const CIPHER_SUITES: readonly CipherSuite[] = [];

export function cipherSuite(id: number): CipherSuite | null {
  return CIPHER_SUITES.find((suite) => suite.id === id) ?? null;
}
