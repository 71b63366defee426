import { byteAt, uint16At, uint32At } from "../bytes.ts";

/** RFC 3550 §12.1. */
export const RTCP_SENDER_REPORT = 200;
export const RTCP_RECEIVER_REPORT = 201;
export const RTCP_SOURCE_DESCRIPTION = 202;
export const RTCP_BYE = 203;
/** RFC 3550 §12.2. */
export const SDES_CNAME = 1;

/** Packet header, and the SSRC that follows it in reports. */
export const RTCP_HEADER_BYTES = 4;
export const REPORT_HEADER_BYTES = 8;
export const SENDER_INFO_BYTES = 20;
export const REPORT_BLOCK_BYTES = 24;

/** Why bytes are no compound RTCP packet. */
export type RtcpFault =
  | "too-short"
  | "version"
  /** The first packet is no report. */
  | "type"
  | "padding"
  /** The packets' lengths do not add up to the datagram's. */
  | "length"
  /** A packet is shorter than its count says. */
  | "count";

/** What a sender says of its own stream (RFC 3550 §6.4.1). Reused from packet to packet. */
export interface SenderInfo {
  ntpSeconds: number;
  /** In units of 2^-32 s. */
  ntpFraction: number;
  rtpTimestamp: number;
  packetCount: number;
  /** Payload only, without headers and padding. */
  payloadBytes: number;
}

/** What a receiver says of a stream (RFC 3550 §6.4.1). Reused from block to block. */
export interface ReportBlock {
  /** Of the stream that the block is about. */
  ssrc: number;
  /** Since the report before, in 256ths. */
  fractionLost: number;
  /** Since the beginning; negative when duplicates outnumber the lost. 24 bits, signed. */
  packetsLost: number;
  /** 16 bits of sequence number below the number of its wraps. */
  highestSequence: number;
  jitterRtpTicks: number;
  /** Middle 32 bits of the NTP time of the last sender report; 0 when none came. */
  lastSenderReport: number;
  /** Time since that report came, in units of 1/65 536 s. */
  sinceLastSenderReport: number;
}

/** Where a compound packet's contents go. The objects and bytes are valid only during the call. */
export interface RtcpVisitor {
  onSenderReport(ssrc: number, info: SenderInfo): void;
  /** @param reporterSsrc Who says it, in a sender's or a receiver's report. */
  onReportBlock(block: ReportBlock, reporterSsrc: number): void;
  onBye(ssrc: number): void;
  /** The canonical name, in UTF-8 (RFC 3550 §6.5.1). */
  onCname?(ssrc: number, cname: Uint8Array): void;
  /** A packet of another type: feedback, extended report, application-defined. */
  onUnknown(type: number): void;
}

export function createReportBlock(): ReportBlock {
  return {
    ssrc: 0,
    fractionLost: 0,
    packetsLost: 0,
    highestSequence: 0,
    jitterRtpTicks: 0,
    lastSenderReport: 0,
    sinceLastSenderReport: 0,
  };
}

export function createSenderInfo(): SenderInfo {
  return { ntpSeconds: 0, ntpFraction: 0, rtpTimestamp: 0, packetCount: 0, payloadBytes: 0 };
}

// Filled anew for each visit, and read before the next one.
const info = createSenderInfo();
const block = createReportBlock();

// RFC 3550 §6.4.1:
//
//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |V=2|P|  count  |      type     |   length in words, less one   |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

/**
 * Reads a compound packet (RFC 3550 §6.1) into `visitor`, in its order. It is checked as a whole first: of a faulty one nothing
 * is visited.
 *
 * @returns null when it is well formed, otherwise the fault. Never throws of itself.
 */
export function readRtcp(compound: Uint8Array, visitor: RtcpVisitor): RtcpFault | null {
  const fault = checkCompound(compound);
  if (fault !== null) return fault;
  for (let offset = 0; offset < compound.length; offset += packetBytesAt(compound, offset)) {
    visitPacket(compound, offset, visitor);
  }
  return null;
}

/** RFC 3550 A.2, and that each packet has room for what it counts. */
function checkCompound(compound: Uint8Array): RtcpFault | null {
  if (compound.length < REPORT_HEADER_BYTES) return "too-short";
  const firstType = byteAt(compound, 1);
  if (firstType !== RTCP_SENDER_REPORT && firstType !== RTCP_RECEIVER_REPORT) return "type";
  // Only a last packet may need padding, and the first one is never alone: a CNAME follows it.
  if ((byteAt(compound, 0) & 0x20) !== 0) return "padding";
  let offset = 0;
  while (offset < compound.length) {
    if (offset + RTCP_HEADER_BYTES > compound.length) return "length";
    if (byteAt(compound, offset) >> 6 !== 2) return "version";
    const packetBytes = packetBytesAt(compound, offset);
    if (offset + packetBytes > compound.length) return "length";
    const contentBytes = contentBytesAt(compound, offset);
    if (contentBytes < 0) return "padding";
    if (contentBytes < neededBytes(byteAt(compound, offset + 1), countAt(compound, offset))) return "count";
    offset += packetBytes;
  }
  return null;
}

function packetBytesAt(compound: Uint8Array, offset: number): number {
  return (uint16At(compound, offset + 2) + 1) * 4;
}

function countAt(compound: Uint8Array, offset: number): number {
  return byteAt(compound, offset) & 0x1f;
}

/** Length of a packet without its padding; -1 when the padding's count is impossible. */
function contentBytesAt(compound: Uint8Array, offset: number): number {
  const packetBytes = packetBytesAt(compound, offset);
  if ((byteAt(compound, offset) & 0x20) === 0) return packetBytes;
  const paddingBytes = byteAt(compound, offset + packetBytes - 1);
  // RFC 3550 §6.4.1: a multiple of four.
  if (paddingBytes === 0 || paddingBytes % 4 !== 0) return -1;
  return paddingBytes > packetBytes - RTCP_HEADER_BYTES ? -1 : packetBytes - paddingBytes;
}

function neededBytes(type: number, count: number): number {
  switch (type) {
    case RTCP_SENDER_REPORT:
      return REPORT_HEADER_BYTES + SENDER_INFO_BYTES + count * REPORT_BLOCK_BYTES;
    case RTCP_RECEIVER_REPORT:
      return REPORT_HEADER_BYTES + count * REPORT_BLOCK_BYTES;
    case RTCP_BYE:
      return RTCP_HEADER_BYTES + count * 4;
    default:
      return RTCP_HEADER_BYTES;
  }
}

function visitPacket(compound: Uint8Array, offset: number, visitor: RtcpVisitor): void {
  const type = byteAt(compound, offset + 1);
  const count = countAt(compound, offset);
  switch (type) {
    case RTCP_SENDER_REPORT:
      readSenderInfo(compound, offset + REPORT_HEADER_BYTES);
      visitor.onSenderReport(uint32At(compound, offset + 4), info);
      visitBlocks(compound, offset, SENDER_INFO_BYTES, visitor);
      return;
    case RTCP_RECEIVER_REPORT:
      visitBlocks(compound, offset, 0, visitor);
      return;
    case RTCP_SOURCE_DESCRIPTION:
      visitCnames(compound, offset, visitor);
      return;
    case RTCP_BYE:
      for (let i = 0; i < count; i += 1) visitor.onBye(uint32At(compound, offset + 4 + i * 4));
      return;
    default:
      visitor.onUnknown(type);
  }
}

function readSenderInfo(compound: Uint8Array, offset: number): void {
  info.ntpSeconds = uint32At(compound, offset);
  info.ntpFraction = uint32At(compound, offset + 4);
  info.rtpTimestamp = uint32At(compound, offset + 8);
  info.packetCount = uint32At(compound, offset + 12);
  info.payloadBytes = uint32At(compound, offset + 16);
}

function visitBlocks(compound: Uint8Array, offset: number, skippedBytes: number, visitor: RtcpVisitor): void {
  const reporterSsrc = uint32At(compound, offset + 4);
  const count = countAt(compound, offset);
  for (let i = 0; i < count; i += 1) {
    readReportBlock(compound, offset + REPORT_HEADER_BYTES + skippedBytes + i * REPORT_BLOCK_BYTES);
    visitor.onReportBlock(block, reporterSsrc);
  }
}

function readReportBlock(compound: Uint8Array, offset: number): void {
  block.ssrc = uint32At(compound, offset);
  block.fractionLost = byteAt(compound, offset + 4);
  // The shift takes the fraction out and the sign along.
  block.packetsLost = (uint32At(compound, offset + 4) << 8) >> 8;
  block.highestSequence = uint32At(compound, offset + 8);
  block.jitterRtpTicks = uint32At(compound, offset + 12);
  block.lastSenderReport = uint32At(compound, offset + 16);
  block.sinceLastSenderReport = uint32At(compound, offset + 20);
}

/** RFC 3550 §6.5: chunks of an SSRC and items, each list ended by a zero and filled up to a word. */
function visitCnames(compound: Uint8Array, start: number, visitor: RtcpVisitor): void {
  const end = start + contentBytesAt(compound, start);
  let offset = start + RTCP_HEADER_BYTES;
  for (let chunk = countAt(compound, start); chunk > 0 && offset + 4 <= end; chunk -= 1) {
    const ssrc = uint32At(compound, offset);
    offset += 4;
    while (offset + 2 <= end && byteAt(compound, offset) !== 0) {
      const itemEnd = offset + 2 + byteAt(compound, offset + 1);
      if (itemEnd > end) return;
      if (byteAt(compound, offset) === SDES_CNAME) {
        visitor.onCname?.(ssrc, compound.subarray(offset + 2, itemEnd));
      }
      offset = itemEnd;
    }
    offset += 4 - ((offset - start) % 4);
  }
}
