import { hkdfSync } from "node:crypto";

/** What a derived key is for. A key of one purpose is of no use for another. */
export type KeyPurpose = "signed-urls" | "cursors" | "secrets-at-rest";

/** HKDF with SHA-256 (RFC 5869): 32 bytes for one purpose. @param master At least 32 random bytes. */
export function deriveKey(master: Uint8Array, purpose: KeyPurpose): Uint8Array {
  // Without salt, as RFC 5869 §3.1 allows where the input is uniformly random already.
  return new Uint8Array(hkdfSync("sha256", master, new Uint8Array(0), `ringback/v1/${purpose}`, 32));
}
