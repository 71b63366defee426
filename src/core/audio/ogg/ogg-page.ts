/** RFC 3533 §6: header without the table of segments. */
export const PAGE_HEADER_BYTES = 27;
export const MAX_SEGMENTS = 255;
/** RFC 3533 §6: 27 + 255 + 255 × 255. */
export const MAX_PAGE_BYTES: number = PAGE_HEADER_BYTES + MAX_SEGMENTS + MAX_SEGMENTS * 255;

/** RFC 3533 §6, field 3. */
export const CONTINUED = 1;
export const FIRST_PAGE = 2;
export const LAST_PAGE = 4;

export const CHECKSUM_OFFSET = 22;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  // RFC 3533 §6, field 7: generator polynomial 0x04c11db7.
  for (let bit = 0; bit < 8; bit += 1) crc = (crc << 1) ^ (crc < 0 ? 0x04c11db7 : 0);
  return crc;
});

/** RFC 3533 §6, field 7: CRC of the page, its own four bytes taken as zero. */
export function pageChecksum(bytes: Uint8Array, offset: number, lengthBytes: number): number {
  let crc = 0;
  for (let i = 0; i < lengthBytes; i += 1) {
    const isOwn = i >= CHECKSUM_OFFSET && i < CHECKSUM_OFFSET + 4;
    const byte = isOwn ? 0 : (bytes[offset + i] ?? 0);
    crc = (crc << 8) ^ (TABLE[(crc >>> 24) ^ byte] ?? 0);
  }
  return crc >>> 0;
}
