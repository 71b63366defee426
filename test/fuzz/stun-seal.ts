import { fingerprintOf } from "../../src/core/transport/stun/fingerprint.ts";
import { type IntegrityKey, integrityOf } from "../../src/core/transport/stun/message-integrity.ts";
import { ATTRIBUTE, HEADER_BYTES, MAX_STUN_BYTES } from "../../src/core/transport/stun/stun-format.ts";

const INTEGRITY_AND_FINGERPRINT_BYTES = 24 + 8;

/**
 * Makes a mutated message whole again, so that readers do not stop at its ends: the length is right, FINGERPRINT too, and
 * MESSAGE-INTEGRITY where there is a key. Nobody needs a key for the former.
 */
export function sealStun(bytes: Uint8Array, key: IntegrityKey | null): Uint8Array {
  if (bytes.length < HEADER_BYTES) return bytes;
  const end = Math.min(startOfSeal(bytes), MAX_STUN_BYTES - INTEGRITY_AND_FINGERPRINT_BYTES);
  const sealed = Buffer.alloc(end + INTEGRITY_AND_FINGERPRINT_BYTES);
  sealed.set(bytes.subarray(0, end));
  let length = end;
  if (key !== null) {
    const integrity = integrityOf(sealed, length, key);
    length = sealed.writeUInt16BE(ATTRIBUTE.messageIntegrity, length);
    length = sealed.writeUInt16BE(integrity.length, length);
    sealed.set(integrity, length);
    length += integrity.length;
  }
  const fingerprint = fingerprintOf(sealed, length);
  length = sealed.writeUInt16BE(ATTRIBUTE.fingerprint, length);
  length = sealed.writeUInt16BE(4, length);
  length = sealed.writeUInt32BE(fingerprint, length);
  sealed.writeUInt16BE(length - HEADER_BYTES, 2);
  return Uint8Array.from(sealed.subarray(0, length));
}

/** Where the first MESSAGE-INTEGRITY or FINGERPRINT begins, or the attributes end. */
function startOfSeal(bytes: Uint8Array): number {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let offset = HEADER_BYTES;
  while (offset + 4 <= bytes.length) {
    const type = view.readUInt16BE(offset);
    if (type === ATTRIBUTE.messageIntegrity || type === ATTRIBUTE.fingerprint) break;
    offset += 4 + view.readUInt16BE(offset + 2);
    offset += -offset & 3;
  }
  return Math.min(offset, bytes.length & ~3);
}
