import { byteAt } from "../bytes.ts";
import { ATTRIBUTE_HEADER_BYTES, FINGERPRINT_BYTES, HEADER_BYTES } from "./stun-format.ts";

/** RFC 8489 §14.7: sets STUN's CRC apart from that of protocols that carry one of their own. */
const FINGERPRINT_XOR = 0x5354554e;

const CRC_TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ 0xedb88320;
  return crc;
});

/**
 * FINGERPRINT of a message whose attribute starts at `offset`.
 * It counts with a header length that includes the attribute, whatever the header says.
 */
export function fingerprintOf(bytes: Uint8Array, offset: number): number {
  const lengthBytes = offset - HEADER_BYTES + ATTRIBUTE_HEADER_BYTES + FINGERPRINT_BYTES;
  let crc = crcStep(crcStep(-1, byteAt(bytes, 0)), byteAt(bytes, 1));
  crc = crcStep(crcStep(crc, lengthBytes >> 8), lengthBytes & 0xff);
  for (let i = 4; i < offset; i += 1) crc = crcStep(crc, byteAt(bytes, i));
  return (~crc ^ FINGERPRINT_XOR) >>> 0;
}

/** CRC-32 of ITU-T V.42. `node:zlib` has one only from Node 20.15 and 22.2 on, and it would allocate. */
function crcStep(crc: number, byte: number): number {
  return (CRC_TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
}
