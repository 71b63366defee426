/**
 * Where the parts of a packet lie that is being protected or unprotected, and what its cryptography needs of them. One
 * object serves all packets, one at a time: a packet costs no allocation.
 */
export class PacketParts {
  bytes: Uint8Array = new Uint8Array(0);
  /** Of the header. */
  start = 0;
  /** Of what is encrypted. */
  payloadStart = 0;
  payloadEnd = 0;
  tagStart = 0;
  /** As a signed number, as all words here: see `readInt32`. */
  ssrc = 0;
  /** RFC 3711 §3.3.1: 48 bits for SRTP; §3.4: 31 bits for SRTCP. */
  index = 0;
  /** What authentication takes besides the packet: the rollover counter for SRTP, E flag and index for SRTCP. */
  word = 0;

  /** @returns False when the bytes hold no whole RTP header of version 2. */
  readRtp(bytes: Uint8Array, start: number, end: number): boolean {
    const headerBytes = rtpHeaderBytes(bytes, start, end);
    if (headerBytes < 0) return false;
    this.bytes = bytes;
    this.start = start;
    this.payloadStart = start + headerBytes;
    this.payloadEnd = end;
    this.ssrc = readInt32(bytes, start + 8);
    return true;
  }

  /** @returns False when the bytes hold no RTCP header with an SSRC of version 2. */
  readRtcp(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start < RTCP_HEADER_BYTES || !isVersion2(bytes, start)) return false;
    this.bytes = bytes;
    this.start = start;
    // RFC 3711 §3.4: the first header and the sender's SSRC stay readable.
    this.payloadStart = start + RTCP_HEADER_BYTES;
    this.payloadEnd = end;
    this.ssrc = readInt32(bytes, start + 4);
    return true;
  }
}

const RTP_HEADER_BYTES = 12;
const RTCP_HEADER_BYTES = 8;

/** RFC 3550 §5.1, §5.3.1: with contributing sources and the extension. -1 when they reach beyond the end. */
function rtpHeaderBytes(bytes: Uint8Array, start: number, end: number): number {
  const available = end - start;
  if (available < RTP_HEADER_BYTES || !isVersion2(bytes, start)) return -1;
  const first = bytes[start] ?? 0;
  const headerBytes = RTP_HEADER_BYTES + 4 * (first & 0x0f);
  const hasExtension = (first & 0x10) !== 0;
  if (!hasExtension) return headerBytes <= available ? headerBytes : -1;
  if (headerBytes + 4 > available) return -1;
  const lengthAt = start + headerBytes + 2;
  const withExtension = headerBytes + 4 + 4 * readUint16(bytes, lengthAt);
  return withExtension <= available ? withExtension : -1;
}

function isVersion2(bytes: Uint8Array, start: number): boolean {
  return (bytes[start] ?? 0) >>> 6 === 2;
}

export function readUint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

/** Signed: numbers beyond 31 bits are slower, and none of these words is reckoned with. */
export function readInt32(bytes: Uint8Array, at: number): number {
  return (readUint16(bytes, at) << 16) | readUint16(bytes, at + 2);
}

export function writeInt32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
