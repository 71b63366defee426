import { byteAt, uint16At, uint32At, writeUint16, writeUint32 } from "../bytes.ts";

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

/** Room for the largest Opus packet (RFC 6716 §3.4: 1275 bytes a frame) and the header. */
const BUFFER_BYTES = 1500;

/** Memory for one packet at a time, which the writers of many streams can share: a packet is gone before the next one. */
export class RtpPacketBuffer {
  readonly bytes: Uint8Array = new Uint8Array(BUFFER_BYTES);
  /** One view per packet length, made when the length first occurs, so that a packet allocates nothing. */
  readonly #views: (Uint8Array | undefined)[] = [];

  /** The first `lengthBytes` bytes. */
  view(lengthBytes: number): Uint8Array {
    let view = this.#views[lengthBytes];
    if (view === undefined) {
      view = this.bytes.subarray(0, lengthBytes);
      this.#views[lengthBytes] = view;
    }
    return view;
  }
}

export interface RtpWriterOptions {
  readonly ssrc: number;
  /** Random (RFC 3550 §5.1). Its upper half is not used: see the constructor. */
  readonly firstSequence: number;
  /** Random (RFC 3550 §5.1). */
  readonly firstTimestamp: number;
  /** Where the packets are written. Default: one of its own. */
  readonly buffer?: RtpPacketBuffer;
}

/** Writes the packets of one RTP stream. */
export class RtpWriter {
  readonly #buffer: RtpPacketBuffer;
  readonly #ssrc: number;
  readonly #firstTimestamp: number;
  #sequence: number;

  constructor(options: RtpWriterOptions) {
    this.#buffer = options.buffer ?? new RtpPacketBuffer();
    this.#ssrc = options.ssrc;
    this.#firstTimestamp = options.firstTimestamp;
    // RFC 3711 §3.3.1: a start below 2^15 keeps a loss at the very beginning from
    // being taken for a wrap, which would put the SRTP rollover counters apart.
    this.#sequence = options.firstSequence & 0x7fff;
  }

  /** The RTP timestamp of a point in media time; it wraps at 32 bits. */
  timestampAt(mediaRtpTicks: number): number {
    return (this.#firstTimestamp + mediaRtpTicks) >>> 0;
  }

  /**
   * Writes the next packet.
   *
   * @param mediaRtpTicks Media time since the stream began, in ticks.
   * @returns A view that is valid until the buffer's next packet.
   */
  write(payload: Uint8Array, payloadType: number, mediaRtpTicks: number, marker: boolean): Uint8Array {
    const { bytes } = this.#buffer;
    bytes[0] = 0x80;
    bytes[1] = (marker ? 0x80 : 0) | payloadType;
    writeUint16(bytes, 2, this.#sequence);
    writeUint32(bytes, 4, this.timestampAt(mediaRtpTicks));
    writeUint32(bytes, 8, this.#ssrc);
    bytes.set(payload, RTP_HEADER_BYTES);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    return this.#buffer.view(RTP_HEADER_BYTES + payload.length);
  }

  /** Leaves a packet out that was lost on its way to us: the receiver sees the loss, and conceals it. */
  skip(): void {
    this.#sequence = (this.#sequence + 1) & 0xffff;
  }
}

/** Length of the padding, its count byte included; -1 when the count is impossible. */
function paddingLength(packet: Uint8Array, firstByte: number, payloadOffset: number): number {
  if ((firstByte & 0x20) === 0) return 0;
  if (payloadOffset >= packet.length) return -1;
  const count = byteAt(packet, packet.length - 1);
  return count === 0 || payloadOffset + count > packet.length ? -1 : count;
}
