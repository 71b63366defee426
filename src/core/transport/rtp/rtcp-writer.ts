import { writeUint16, writeUint32 } from "../bytes.ts";
import {
  REPORT_BLOCK_BYTES,
  REPORT_HEADER_BYTES,
  type ReportBlock,
  RTCP_BYE,
  RTCP_HEADER_BYTES,
  RTCP_RECEIVER_REPORT,
  RTCP_SENDER_REPORT,
  RTCP_SOURCE_DESCRIPTION,
  SDES_CNAME,
  SENDER_INFO_BYTES,
  type SenderInfo,
} from "./rtcp.ts";

const MAX_CNAME_BYTES = 255;
const BYE_BYTES = 8;
/** 24 bits, signed. */
const MIN_PACKETS_LOST = -0x80_0000;
const MAX_PACKETS_LOST = 0x7f_ffff;

/** What one compound packet says. */
export interface RtcpContents {
  /** Null for one who has not sent: it is a receiver's report then (RFC 3550 §6.4). */
  readonly sender: SenderInfo | null;
  readonly block: ReportBlock | null;
  readonly hasBye: boolean;
}

/** Writes the compound packets of one source: a report, its CNAME and, at the end, BYE (RFC 3550 §6.1). */
export class RtcpWriter {
  readonly #ssrc: number;
  readonly #description: Uint8Array;
  readonly #buffer: Uint8Array;

  /** @param cname Up to 255 bytes of UTF-8; what is longer is cut. */
  constructor(ssrc: number, cname: string) {
    this.#ssrc = ssrc;
    this.#description = describeSource(ssrc, cname);
    this.#buffer = new Uint8Array(
      REPORT_HEADER_BYTES + SENDER_INFO_BYTES + REPORT_BLOCK_BYTES + this.#description.length + BYE_BYTES,
    );
  }

  /** @returns A view that is valid until the next call. */
  write(contents: RtcpContents): Uint8Array {
    let offset = this.#writeReport(contents);
    this.#buffer.set(this.#description, offset);
    offset += this.#description.length;
    if (contents.hasBye) {
      this.#writeHeader(offset, 1, RTCP_BYE, BYE_BYTES);
      offset += BYE_BYTES;
    }
    return this.#buffer.subarray(0, offset);
  }

  /** Returns where the report ends. */
  #writeReport({ sender, block }: RtcpContents): number {
    let offset = REPORT_HEADER_BYTES;
    if (sender !== null) {
      writeSenderInfo(this.#buffer, offset, sender);
      offset += SENDER_INFO_BYTES;
    }
    if (block !== null) {
      writeReportBlock(this.#buffer, offset, block);
      offset += REPORT_BLOCK_BYTES;
    }
    const type = sender === null ? RTCP_RECEIVER_REPORT : RTCP_SENDER_REPORT;
    this.#writeHeader(0, block === null ? 0 : 1, type, offset);
    return offset;
  }

  #writeHeader(offset: number, count: number, type: number, packetBytes: number): void {
    this.#buffer[offset] = 0x80 | count;
    this.#buffer[offset + 1] = type;
    writeUint16(this.#buffer, offset + 2, packetBytes / 4 - 1);
    writeUint32(this.#buffer, offset + 4, this.#ssrc);
  }
}

function writeSenderInfo(bytes: Uint8Array, offset: number, info: SenderInfo): void {
  writeUint32(bytes, offset, info.ntpSeconds);
  writeUint32(bytes, offset + 4, info.ntpFraction);
  writeUint32(bytes, offset + 8, info.rtpTimestamp);
  writeUint32(bytes, offset + 12, info.packetCount);
  writeUint32(bytes, offset + 16, info.payloadBytes);
}

function writeReportBlock(bytes: Uint8Array, offset: number, block: ReportBlock): void {
  writeUint32(bytes, offset, block.ssrc);
  // RFC 3550 A.3: clamped, not wrapped. The fraction lies above it.
  writeUint32(bytes, offset + 4, Math.min(Math.max(block.packetsLost, MIN_PACKETS_LOST), MAX_PACKETS_LOST));
  bytes[offset + 4] = block.fractionLost;
  writeUint32(bytes, offset + 8, block.highestSequence);
  writeUint32(bytes, offset + 12, block.jitterRtpTicks);
  writeUint32(bytes, offset + 16, block.lastSenderReport);
  writeUint32(bytes, offset + 20, block.sinceLastSenderReport);
}

/** RFC 3550 §6.5: one chunk with one item. It never changes, so that it is made once. */
function describeSource(ssrc: number, cname: string): Uint8Array {
  const name = new Uint8Array(MAX_CNAME_BYTES);
  // Cuts between characters, never within one.
  const nameBytes = new TextEncoder().encodeInto(cname, name).written;
  // At least one zero ends the items.
  const itemsBytes = (2 + nameBytes + 4) & ~3;
  const packet = new Uint8Array(RTCP_HEADER_BYTES + 4 + itemsBytes);
  packet[0] = 0x81;
  packet[1] = RTCP_SOURCE_DESCRIPTION;
  writeUint16(packet, 2, packet.length / 4 - 1);
  writeUint32(packet, 4, ssrc);
  packet[8] = SDES_CNAME;
  packet[9] = nameBytes;
  packet.set(name.subarray(0, nameBytes), 10);
  return packet;
}
