import { type Random, randomUint32 } from "../../random.ts";
import { setNtpTime } from "./ntp-time.ts";
import { PeerReports, type RemoteReception } from "./peer-reports.ts";
import { createReportBlock, createSenderInfo, type ReportBlock, type SenderInfo } from "./rtcp.ts";
import { RtcpWriter } from "./rtcp-writer.ts";
import type { RtpReceiver } from "./rtp-receiver.ts";

/** RFC 3550 §6.2: five seconds, of which an audio call's 5 % of bandwidth would allow more than one report. */
const INTERVAL_MS = 5000;

export interface RtcpSessionOptions {
  /** Of our RTP stream. */
  readonly ssrc: number;
  readonly cname: string;
  /** Clock of the RTP timestamps of both streams. */
  readonly clockRateHz: number;
  /** Whose stream the report blocks are about. */
  readonly receiver: RtpReceiver;
  readonly random: Random;
}

/** What the peer's reports say, and what became of ours. */
export interface RtcpStats {
  readonly reportsSent: number;
  /** Compound packets of the peer. */
  readonly reportsReceived: number;
  /** Round trip by LSR and DLSR (RFC 3550 §6.4.1); null before the first report block about our stream. */
  readonly rttMs: number | null;
  /** What the peer says of our stream; null before its first report block. */
  readonly remote: RemoteReception | null;
  /** How often the peer said BYE for its stream. WhatsApp's webhook ends the call, not this. */
  readonly byesReceived: number;
  /** What came as RTCP and was no well-formed compound packet. */
  readonly dropped: number;
  /** Packets within compound packets of types that are skipped: feedback, extended reports, application-defined. */
  readonly packetsSkipped: number;
  /** Report blocks about a stream that is not ours. */
  readonly blocksForeign: number;
}

/**
 * One call's RTCP (RFC 3550 §6): sender and receiver reports, SDES with CNAME, BYE. Sans-IO.
 *
 * The interval is the fixed minimum. RFC 3550's reconsideration and membership counts keep conferences of thousands from flooding
 * the network; a call has two members.
 */
export class RtcpSession {
  readonly #random: Random;
  readonly #receiver: RtpReceiver;
  readonly #ticksPerMs: number;
  readonly #writer: RtcpWriter;
  readonly #peer: PeerReports;
  readonly #info: SenderInfo = createSenderInfo();
  readonly #block: ReportBlock = createReportBlock();
  #deadlineMs = Number.NEGATIVE_INFINITY;
  #packetsSent = 0;
  #payloadBytesSent = 0;
  #packetsReported = 0;
  #lastRtpTimestamp = 0;
  #lastRtpMs = 0;
  #reportsSent = 0;
  #byesReceived = 0;

  constructor(options: RtcpSessionOptions) {
    this.#random = options.random;
    this.#receiver = options.receiver;
    this.#ticksPerMs = options.clockRateHz / 1000;
    this.#writer = new RtcpWriter(options.ssrc, options.cname);
    this.#peer = new PeerReports(options.ssrc, options.receiver, options.clockRateHz);
  }

  /**
   * Counts one sent RTP packet. On the packet path.
   *
   * @param rtpTimestamp The stream's at `nowMs`. Not that of a telephone event, whose packets carry the time of its start.
   */
  onRtpSent(rtpTimestamp: number, payloadBytes: number, nowMs: number): void {
    this.#packetsSent += 1;
    this.#payloadBytesSent += payloadBytes;
    this.#lastRtpTimestamp = rtpTimestamp;
    this.#lastRtpMs = nowMs;
  }

  /** Takes a compound packet. Never throws. True when it holds a BYE of the peer's stream. */
  receive(packet: Uint8Array, nowMs: number): boolean {
    const isBye = this.#peer.receive(packet, nowMs);
    if (isBye) this.#byesReceived += 1;
    return isBye;
  }

  /** Before this monotonic time `poll` has nothing to do. */
  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  /** The next compound report when it is due, otherwise null. Valid until the next call. The first call starts the interval. */
  poll(nowMs: number, wallMs: number): Uint8Array | null {
    if (nowMs < this.#deadlineMs) return null;
    const isStart = this.#deadlineMs === Number.NEGATIVE_INFINITY;
    // RFC 3550 §6.2: the first report comes after half the interval.
    this.#deadlineMs = nowMs + this.#randomized(isStart ? INTERVAL_MS / 2 : INTERVAL_MS);
    return isStart ? null : this.#report(nowMs, wallMs, false);
  }

  /** A last report with BYE, valid until the next call. RFC 3550 §6.3.7: only for one who has sent something before. */
  bye(nowMs: number, wallMs: number): Uint8Array {
    return this.#report(nowMs, wallMs, true);
  }

  stats(): RtcpStats {
    const peer = this.#peer;
    return {
      reportsSent: this.#reportsSent,
      reportsReceived: peer.received,
      rttMs: peer.rttMs,
      remote: peer.reception,
      byesReceived: this.#byesReceived,
      dropped: peer.malformed,
      packetsSkipped: peer.unknown,
      blocksForeign: peer.foreignBlocks,
    };
  }

  #report(nowMs: number, wallMs: number, hasBye: boolean): Uint8Array {
    const sender = this.#fillSenderInfo(nowMs, wallMs);
    const block = this.#receiver.takeReport(this.#block) ? this.#block : null;
    if (block !== null) this.#peer.refer(block, nowMs);
    this.#reportsSent += 1;
    return this.#writer.write({ sender, block, hasBye });
  }

  /** RFC 3550 §6.4: a sender's report only when packets were sent since the report before. */
  #fillSenderInfo(nowMs: number, wallMs: number): SenderInfo | null {
    if (this.#packetsSent === this.#packetsReported) return null;
    this.#packetsReported = this.#packetsSent;
    const info = this.#info;
    setNtpTime(info, wallMs);
    // RFC 3550 §6.4.1: the RTP time at the report, not that of the last packet.
    const sinceTicks = Math.round((nowMs - this.#lastRtpMs) * this.#ticksPerMs);
    info.rtpTimestamp = (this.#lastRtpTimestamp + sinceTicks) >>> 0;
    info.packetCount = this.#packetsSent >>> 0;
    info.payloadBytes = this.#payloadBytesSent >>> 0;
    this.#peer.noteSent(info, nowMs);
    return info;
  }

  /**
   * RFC 3550 §6.2: 0.5 to 1.5 times the interval, so that the reports of many calls do not come together. The division by
   * e - 3/2 in A.7 makes up for reconsideration, which is left out here.
   */
  #randomized(intervalMs: number): number {
    return intervalMs * (0.5 + randomUint32(this.#random) / 2 ** 32);
  }
}
