import type { KeyObject } from "node:crypto";

/** TLS signature schemes that we take (RFC 8446 §4.2.3 names; RFC 5246 §7.4.1.4.1 pairs of hash and signature). */
export const SIGNATURE_SCHEMES: Readonly<Record<string, number>> = {
  ecdsa_secp256r1_sha256: 0x0403,
  ecdsa_secp384r1_sha384: 0x0503,
  rsa_pss_rsae_sha256: 0x0804,
  rsa_pkcs1_sha256: 0x0401,
  rsa_pkcs1_sha384: 0x0501,
  rsa_pkcs1_sha512: 0x0601,
};

/** Signs with our P-256 key and SHA-256; the signature is DER as TLS has it. */
export function signEcdsaSha256(_privateKey: KeyObject, _data: Uint8Array): Uint8Array {
  throw new Error("not built yet");
}

/** The public key in a certificate; null when the bytes are no certificate with a key that we take. Never throws. */
export function readPublicKey(_certificateDer: Uint8Array): KeyObject | null {
  throw new Error("not built yet");
}

/** False also for schemes that we do not take or that do not fit the key. Never throws. */
export function verifySignature(
  _scheme: number,
  _publicKey: KeyObject,
  _data: Uint8Array,
  _signature: Uint8Array,
): boolean {
  throw new Error("not built yet");
}
