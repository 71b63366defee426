import type { Random } from "../../random.ts";
import type { RtpReceiver } from "./rtp-receiver.ts";

export interface RtcpSessionOptions {
  /** Of our RTP stream. */
  readonly ssrc: number;
  readonly cname: string;
  readonly clockRateHz: number;
  /** Whose stream the report blocks are about. */
  readonly receiver: RtpReceiver;
  readonly random: Random;
}

/** What the peer's reports say, and what became of ours. */
export interface RtcpStats {
  readonly reportsSent: number;
  readonly reportsReceived: number;
  /** RFC 3550 A.8 by LSR and DLSR; null before the first report block about us. */
  readonly rttMs: number | null;
  /** What the peer says of our stream; null before its first report block. */
  readonly remote: {
    readonly packetsLost: number;
    readonly fractionLost: number;
    readonly jitterMs: number;
  } | null;
  /** Packets that were no RTCP, or about somebody else. */
  readonly dropped: number;
}

/** One call's RTCP (RFC 3550 §6): sender and receiver reports, SDES with CNAME, BYE. Sans-IO. */
export class RtcpSession {
  constructor(_options: RtcpSessionOptions) {
    throw new Error("not built yet");
  }

  /** Counts one sent RTP packet. On the packet path. */
  onRtpSent(_rtpTimestamp: number, _payloadBytes: number, _nowMs: number): void {
    throw new Error("not built yet");
  }

  /** Takes a compound packet. Never throws. True when it holds a BYE of the peer's stream. */
  receive(_packet: Uint8Array, _nowMs: number): boolean {
    throw new Error("not built yet");
  }

  /** The next compound report when it is due, otherwise null. Valid until the next call. */
  poll(_nowMs: number, _wallMs: number): Uint8Array | null {
    throw new Error("not built yet");
  }

  /** A last report with BYE. */
  bye(_nowMs: number, _wallMs: number): Uint8Array {
    throw new Error("not built yet");
  }

  stats(): RtcpStats {
    throw new Error("not built yet");
  }
}
