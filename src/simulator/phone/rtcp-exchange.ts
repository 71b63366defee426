import type { Clock } from "../../platform/clock.ts";
import { buildRtcpReport, type RtcpReport, senderReportTime } from "./rtcp.ts";
import type { RtpIn } from "./rtp-in.ts";
import type { RtpOut } from "./rtp-out.ts";

const RTCP_INTERVAL_MS = 2500;
const CNAME = "WhatsAppAudioStream1";

export interface RtcpExchangeParts {
  readonly clock: Clock;
  readonly ssrc: number;
  readonly received: RtpIn;
  readonly sent: RtpOut;
  /** Encrypts and sends. */
  readonly send: (packet: Buffer) => void;
}

/** Reports on both directions every 2.5 s, and reads the reports of the business. */
export class RtcpExchange {
  readonly #parts: RtcpExchangeParts;
  #timer: NodeJS.Timeout | null = null;
  #isStopped = false;
  #lastSenderReport = 0;
  #lastSenderReportAtMs = 0;
  /** Authentic packets. */
  packetsReceived = 0;

  constructor(parts: RtcpExchangeParts) {
    this.#parts = parts;
  }

  /** Idempotent. No start after a stop. */
  start(): void {
    if (this.#timer === null && !this.#isStopped) this.#timer = setTimeout(this.#report, RTCP_INTERVAL_MS);
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  receive(packet: Buffer): void {
    this.packetsReceived += 1;
    const reportTime = senderReportTime(packet);
    if (reportTime === null) return;
    this.#lastSenderReport = reportTime;
    this.#lastSenderReportAtMs = this.#parts.clock.nowMs();
  }

  readonly #report = (): void => {
    this.#parts.send(buildRtcpReport(this.#toReport()));
    this.#timer = setTimeout(this.#report, RTCP_INTERVAL_MS);
  };

  #toReport(): RtcpReport {
    const { clock, ssrc, sent, received } = this.#parts;
    const sender = {
      wallMs: clock.wallMs(),
      rtpTimestamp: sent.timestamp,
      packets: sent.packetsSent,
      payloadBytes: sent.payloadBytesSent,
    };
    const reception = {
      ssrc: received.ssrc ?? 0,
      packetsLost: received.packetsLost,
      highestSequenceNumber: received.highestSequenceNumber,
      jitterRtpTicks: received.jitterRtpTicks,
      lastSenderReport: this.#lastSenderReport,
      sinceLastSenderReportMs: this.#lastSenderReport === 0 ? 0 : clock.nowMs() - this.#lastSenderReportAtMs,
    };
    return {
      ssrc,
      cname: CNAME,
      sent: sent.packetsSent === 0 ? null : sender,
      received: received.ssrc === null ? null : reception,
    };
  }
}
