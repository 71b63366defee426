const SENDER_REPORT = 200;
const RECEIVER_REPORT = 201;
const SOURCE_DESCRIPTION = 202;
const CNAME = 1;
/** Seconds between 1900, where NTP begins, and 1970. */
const NTP_EPOCH_S = 2_208_988_800;

export interface ReceptionBlock {
  readonly ssrc: number;
  readonly packetsLost: number;
  readonly highestSequenceNumber: number;
  readonly jitterRtpTicks: number;
  /** Middle 32 bits of the NTP time of the last sender report, and how long ago that came; 0 when none did. */
  readonly lastSenderReport: number;
  readonly sinceLastSenderReportMs: number;
}

export interface RtcpReport {
  readonly ssrc: number;
  readonly cname: string;
  /** Null for one who does not send: a receiver report then. */
  readonly sent: {
    readonly wallMs: number;
    readonly rtpTimestamp: number;
    readonly packets: number;
    readonly payloadBytes: number;
  } | null;
  readonly received: ReceptionBlock | null;
}

/** A compound packet: sender or receiver report, then the CNAME (RFC 3550 §6.1, §6.4, §6.5). */
export function buildRtcpReport(report: RtcpReport): Buffer {
  const parts: Uint8Array[] = [];
  if (report.sent !== null) parts.push(senderInfo(report.sent));
  if (report.received !== null) parts.push(receptionBlock(report.received));
  const type = report.sent === null ? RECEIVER_REPORT : SENDER_REPORT;
  return Buffer.concat([
    rtcpPacket(type, report.received === null ? 0 : 1, report.ssrc, Buffer.concat(parts)),
    rtcpPacket(SOURCE_DESCRIPTION, 1, report.ssrc, cnameItem(report.cname)),
  ]);
}

/** Middle 32 bits of the NTP time if the compound packet begins with a sender report (RFC 3550 §6.4.1). */
export function senderReportTime(packet: Buffer): number | null {
  return packet.length >= 28 && packet[1] === SENDER_REPORT ? packet.readUInt32BE(10) : null;
}

function rtcpPacket(type: number, count: number, ssrc: number, body: Uint8Array): Buffer {
  const packet = Buffer.alloc(8 + body.length);
  packet[0] = 0x80 | count;
  packet[1] = type;
  packet.writeUInt16BE(packet.length / 4 - 1, 2);
  packet.writeUInt32BE(ssrc, 4);
  packet.set(body, 8);
  return packet;
}

function senderInfo(sent: NonNullable<RtcpReport["sent"]>): Buffer {
  const info = Buffer.alloc(20);
  const seconds = sent.wallMs / 1000;
  info.writeUInt32BE((Math.floor(seconds) + NTP_EPOCH_S) >>> 0, 0);
  info.writeUInt32BE(Math.floor((seconds % 1) * 2 ** 32) >>> 0, 4);
  info.writeUInt32BE(sent.rtpTimestamp, 8);
  info.writeUInt32BE(sent.packets >>> 0, 12);
  info.writeUInt32BE(sent.payloadBytes >>> 0, 16);
  return info;
}

/** Fraction lost stays 0: nobody reads it, the cumulative number says more. */
function receptionBlock(block: ReceptionBlock): Buffer {
  const bytes = Buffer.alloc(24);
  bytes.writeUInt32BE(block.ssrc, 0);
  bytes.writeUIntBE(Math.min(block.packetsLost, 0x7fffff), 5, 3);
  bytes.writeUInt32BE(block.highestSequenceNumber >>> 0, 8);
  bytes.writeUInt32BE(Math.round(block.jitterRtpTicks) >>> 0, 12);
  bytes.writeUInt32BE(block.lastSenderReport, 16);
  bytes.writeUInt32BE(Math.round((block.sinceLastSenderReportMs * 65_536) / 1000) >>> 0, 20);
  return bytes;
}

function cnameItem(cname: string): Buffer {
  const text = Buffer.from(cname, "utf8").subarray(0, 255);
  // At least one zero ends the chunk, which is padded to 32 bits.
  const item = Buffer.alloc((2 + text.length + 4) & ~3);
  item[0] = CNAME;
  item[1] = text.length;
  item.set(text, 2);
  return item;
}
