import type { SrtpMasterKey, SrtpProfile } from "./srtp-profile.ts";

/** Protects what we send: RTP of one SSRC, and its RTCP (RFC 3711, RFC 7714). */
export class SrtpSender {
  constructor(_profile: SrtpProfile, _master: SrtpMasterKey) {
    throw new Error("not built yet");
  }

  /**
   * Protects one well-formed RTP packet, the first `rtpBytes` of `rtp`, into `out` at `outOffset`. Allocates nothing.
   * @returns Bytes written; -1 when `out` has no room, or when the key is used up (2^48 packets).
   */
  protectRtp(_rtp: Uint8Array, _rtpBytes: number, _out: Uint8Array, _outOffset: number): number {
    throw new Error("not built yet");
  }

  /** The same for a compound RTCP packet. */
  protectRtcp(_rtcp: Uint8Array, _rtcpBytes: number, _out: Uint8Array, _outOffset: number): number {
    throw new Error("not built yet");
  }
}
