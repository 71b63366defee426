import { middleNtpBits } from "./ntp-time.ts";
import { type ReportBlock, type RtcpVisitor, readRtcp, type SenderInfo } from "./rtcp.ts";
import type { RtpReceiver } from "./rtp-receiver.ts";

/** Our sender reports that the peer may still refer to: at the shortest interval, 20 s of them. */
const KEPT_REPORTS = 8;
/** RTCP counts short times in 1/65 536 s. */
const UNITS_PER_MS = 65.536;

/** What the peer's reports say of our stream. */
export interface RemoteReception {
  /** Since the beginning; may be negative when packets were duplicated on the way. */
  readonly packetsLost: number;
  /** Between the peer's last two reports, 0-1. */
  readonly fractionLost: number;
  readonly jitterMs: number;
}

/** The peer's side of one call's RTCP. */
export class PeerReports implements RtcpVisitor {
  readonly #ssrc: number;
  readonly #receiver: RtpReceiver;
  readonly #ticksPerMs: number;
  readonly #sentNtp = new Uint32Array(KEPT_REPORTS);
  readonly #sentMs = new Float64Array(KEPT_REPORTS);
  #sentCount = 0;
  #nowMs = 0;
  #senderSsrc = 0;
  #senderNtp = 0;
  #senderReportMs = 0;
  #isByeHeard = false;
  rttMs: number | null = null;
  reception: RemoteReception | null = null;
  /** Compound packets that were well formed. */
  received = 0;
  /** Compound packets that were not. */
  malformed = 0;
  /** Packets of types that are skipped. */
  unknown = 0;
  /** Blocks about a stream that is not ours. */
  foreignBlocks = 0;

  /** @param ssrc Of our stream. @param receiver Of the peer's. */
  constructor(ssrc: number, receiver: RtpReceiver, clockRateHz: number) {
    this.#ssrc = ssrc;
    this.#receiver = receiver;
    this.#ticksPerMs = clockRateHz / 1000;
  }

  /** Takes a compound packet. Never throws. True when it holds a BYE of the peer's stream. */
  receive(compound: Uint8Array, nowMs: number): boolean {
    this.#nowMs = nowMs;
    this.#isByeHeard = false;
    if (readRtcp(compound, this) === null) this.received += 1;
    else this.malformed += 1;
    return this.#isByeHeard;
  }

  /** Remembers a sender report of ours, for the round trip that the peer's next block tells. */
  noteSent(info: SenderInfo, nowMs: number): void {
    const index = this.#sentCount % KEPT_REPORTS;
    this.#sentNtp[index] = middleNtpBits(info);
    this.#sentMs[index] = nowMs;
    this.#sentCount += 1;
  }

  /** Fills in LSR and DLSR (RFC 3550 §6.4.1): the stream's last sender report, and how long ago it came. */
  refer(block: ReportBlock, nowMs: number): void {
    const isKnown = this.#senderSsrc === block.ssrc;
    block.lastSenderReport = isKnown ? this.#senderNtp : 0;
    block.sinceLastSenderReport =
      block.lastSenderReport === 0 ? 0 : Math.floor((nowMs - this.#senderReportMs) * UNITS_PER_MS);
  }

  onSenderReport(ssrc: number, info: SenderInfo): void {
    this.#senderSsrc = ssrc;
    this.#senderNtp = middleNtpBits(info);
    this.#senderReportMs = this.#nowMs;
  }

  onReportBlock(block: ReportBlock): void {
    if (block.ssrc !== this.#ssrc) {
      this.foreignBlocks += 1;
      return;
    }
    this.reception = {
      packetsLost: block.packetsLost,
      fractionLost: block.fractionLost / 256,
      jitterMs: block.jitterRtpTicks / this.#ticksPerMs,
    };
    this.#measureRoundTrip(block);
  }

  onBye(ssrc: number): void {
    const streamSsrc = this.#receiver.ssrc;
    // Before its first packet the peer's stream is unknown; but who else would say good-bye to us?
    if (streamSsrc === null || streamSsrc === ssrc) this.#isByeHeard = true;
  }

  onUnknown(): void {
    this.unknown += 1;
  }

  /**
   * RFC 3550 §6.4.1, with the time at which we sent that report by our monotonic clock in place of its NTP time: the wall clock
   * may have been set since, and a report that we never sent tells nothing.
   */
  #measureRoundTrip(block: ReportBlock): void {
    if (block.lastSenderReport === 0) return;
    for (let i = 0; i < Math.min(this.#sentCount, KEPT_REPORTS); i += 1) {
      if (this.#sentNtp[i] !== block.lastSenderReport) continue;
      const elapsedMs = this.#nowMs - (this.#sentMs[i] ?? 0);
      this.rttMs = Math.max(0, elapsedMs - block.sinceLastSenderReport / UNITS_PER_MS);
      return;
    }
  }
}
