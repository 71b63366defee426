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

const AES_128 = { aead: "aes-128-gcm", prfHash: "sha256", keyBytes: 16, fixedIvBytes: 4 } as const;
const CHACHA20 = { aead: "chacha20-poly1305", prfHash: "sha256", keyBytes: 32, fixedIvBytes: 12 } as const;
const AES_256 = { aead: "aes-256-gcm", prfHash: "sha384", keyBytes: 32, fixedIvBytes: 4 } as const;

/**
 * Ours, the best first: all ECDHE with an AEAD. ECDSA goes first, as WebRTC certificates are ECDSA.
 * Ids: RFC 5289 §3.2, RFC 7905 §2.
 */
export const CIPHER_SUITES: readonly CipherSuite[] = [
  { id: 0xc02b, name: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", authentication: "ecdsa", ...AES_128 },
  { id: 0xc02f, name: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", authentication: "rsa", ...AES_128 },
  { id: 0xcca9, name: "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", authentication: "ecdsa", ...CHACHA20 },
  { id: 0xcca8, name: "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", authentication: "rsa", ...CHACHA20 },
  { id: 0xc02c, name: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", authentication: "ecdsa", ...AES_256 },
  { id: 0xc030, name: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", authentication: "rsa", ...AES_256 },
];

/** The suite of an id; null when it is none of ours. */
export function cipherSuite(id: number): CipherSuite | null {
  return CIPHER_SUITES.find((suite) => suite.id === id) ?? null;
}
