/** Why bytes are no RTP packet. */
export type RtpFault = "too-short" | "version" | "csrc" | "extension" | "padding";

/** The fixed header of RFC 3550 §5.1 and where the payload lies. Reused from packet to packet. */
export interface RtpHeader {
  payloadType: number;
  marker: boolean;
  sequence: number;
  timestamp: number;
  ssrc: number;
  payloadOffset: number;
  payloadLength: number;
}

export const RTP_HEADER_BYTES = 12;

/** Room for the largest Opus packet (RFC 6716 §3.4: 1275 bytes a frame) and the header. */
const WRITER_BYTES = 1500;

export function createRtpHeader(): RtpHeader {
  return {
    payloadType: 0,
    marker: false,
    sequence: 0,
    timestamp: 0,
    ssrc: 0,
    payloadOffset: 0,
    payloadLength: 0,
  };
}

// RFC 3550 §5.1:
//
//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |V=2|P|X|  CC   |M|     PT      |       sequence number         |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |                           timestamp                           |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |                             SSRC                              |
//  +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
//  |                         CSRC (0 to 15)                        |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |     X=1: defined by profile   |   length in 32-bit words      |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

/**
 * Reads one RTP packet into `header`, without a copy.
 *
 * @returns null when it is well formed, otherwise the fault; `header` is then not to be used.
 */
export function readRtp(packet: Uint8Array, header: RtpHeader): RtpFault | null {
  if (packet.length < RTP_HEADER_BYTES) return "too-short";
  const first = byteAt(packet, 0);
  if (first >> 6 !== 2) return "version";
  const second = byteAt(packet, 1);
  header.marker = (second & 0x80) !== 0;
  header.payloadType = second & 0x7f;
  header.sequence = uint16At(packet, 2);
  header.timestamp = uint32At(packet, 4);
  header.ssrc = uint32At(packet, 8);

  let offset = RTP_HEADER_BYTES + (first & 0x0f) * 4;
  if (offset > packet.length) return "csrc";
  if ((first & 0x10) !== 0) {
    if (offset + 4 > packet.length) return "extension";
    offset += 4 + uint16At(packet, offset + 2) * 4;
    if (offset > packet.length) return "extension";
  }
  const paddingBytes = paddingLength(packet, first, offset);
  if (paddingBytes < 0) return "padding";
  header.payloadOffset = offset;
  header.payloadLength = packet.length - offset - paddingBytes;
  return null;
}

/** RFC 5761 §4: with RTP and RTCP on one port, second bytes 192-223 (payload types 64-95) are RTCP. */
export function isRtcp(packet: Uint8Array): boolean {
  if (packet.length < 2) return false;
  const payloadType = byteAt(packet, 1) & 0x7f;
  return payloadType >= 64 && payloadType <= 95;
}

export interface RtpWriterOptions {
  readonly ssrc: number;
  /** Random (RFC 3550 §5.1). Its upper half is not used: see the constructor. */
  readonly firstSequence: number;
  /** Random (RFC 3550 §5.1). */
  readonly firstTimestamp: number;
}

/** Writes the packets of one RTP stream into one buffer. */
export class RtpWriter {
  readonly #buffer = new Uint8Array(WRITER_BYTES);
  /** One view per packet length, made when the length first occurs, so that a packet allocates nothing. */
  readonly #views: (Uint8Array | undefined)[] = [];
  readonly #firstTimestamp: number;
  #sequence: number;

  constructor(options: RtpWriterOptions) {
    this.#firstTimestamp = options.firstTimestamp;
    // RFC 3711 §3.3.1: a start below 2^15 keeps a loss at the very beginning from
    // being taken for a wrap, which would put the SRTP rollover counters apart.
    this.#sequence = options.firstSequence & 0x7fff;
    this.#buffer[0] = 0x80;
    writeUint32(this.#buffer, 8, options.ssrc);
  }

  /**
   * Writes the next packet.
   *
   * @param mediaRtpTicks Media time since the stream began, in ticks; the timestamp wraps at 32 bits by itself.
   * @returns A view that is valid until the next call.
   */
  write(payload: Uint8Array, payloadType: number, mediaRtpTicks: number, marker: boolean): Uint8Array {
    const buffer = this.#buffer;
    buffer[1] = (marker ? 0x80 : 0) | payloadType;
    buffer[2] = this.#sequence >> 8;
    buffer[3] = this.#sequence;
    writeUint32(buffer, 4, this.#firstTimestamp + mediaRtpTicks);
    buffer.set(payload, RTP_HEADER_BYTES);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    return this.#view(RTP_HEADER_BYTES + payload.length);
  }

  #view(lengthBytes: number): Uint8Array {
    let view = this.#views[lengthBytes];
    if (view === undefined) {
      view = this.#buffer.subarray(0, lengthBytes);
      this.#views[lengthBytes] = view;
    }
    return view;
  }
}

/** Length of the padding, its count byte included; -1 when the count is impossible. */
function paddingLength(packet: Uint8Array, firstByte: number, payloadOffset: number): number {
  if ((firstByte & 0x20) === 0) return 0;
  if (payloadOffset >= packet.length) return -1;
  const count = byteAt(packet, packet.length - 1);
  return count === 0 || payloadOffset + count > packet.length ? -1 : count;
}

// Every caller has checked the length: `?? 0` satisfies the compiler and costs nothing.
function byteAt(bytes: Uint8Array, offset: number): number {
  return bytes[offset] ?? 0;
}

function uint16At(bytes: Uint8Array, offset: number): number {
  return (byteAt(bytes, offset) << 8) | byteAt(bytes, offset + 1);
}

function uint32At(bytes: Uint8Array, offset: number): number {
  return ((uint16At(bytes, offset) << 16) | uint16At(bytes, offset + 2)) >>> 0;
}

function writeUint32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 24;
  bytes[offset + 1] = value >>> 16;
  bytes[offset + 2] = value >>> 8;
  bytes[offset + 3] = value;
}
