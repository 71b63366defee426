import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from "node:crypto";
import { writeUint16 } from "../bytes.ts";
import { ATTRIBUTE_HEADER_BYTES, HEADER_BYTES, INTEGRITY_BYTES, MAX_STUN_BYTES } from "./stun-format.ts";

/** Short-term credentials (RFC 8489 §9.1.1): the key is the password. An ICE password is ASCII and needs no preparation. */
export type IntegrityKey = KeyObject;

export function createIntegrityKey(password: string): IntegrityKey {
  return createSecretKey(password, "utf8");
}

/** Compares in constant time. `offset` is where the message's MESSAGE-INTEGRITY attribute starts. */
export function hasIntegrity(bytes: Uint8Array, offset: number, key: IntegrityKey): boolean {
  const valueOffset = offset + ATTRIBUTE_HEADER_BYTES;
  return timingSafeEqual(
    integrityOf(bytes, offset, key),
    bytes.subarray(valueOffset, valueOffset + INTEGRITY_BYTES),
  );
}

/** Holds what is hashed: the header's length must be changed, and a datagram that came in is not ours to change. */
const covered = new Uint8Array(MAX_STUN_BYTES);

/** RFC 8489 §14.5: the HMAC covers what stands before the attribute, under a length that ends with the attribute. */
export function integrityOf(bytes: Uint8Array, offset: number, key: IntegrityKey): Uint8Array {
  covered.set(bytes.subarray(0, offset));
  writeUint16(covered, 2, offset - HEADER_BYTES + ATTRIBUTE_HEADER_BYTES + INTEGRITY_BYTES);
  return createHmac("sha1", key).update(covered.subarray(0, offset)).digest();
}
