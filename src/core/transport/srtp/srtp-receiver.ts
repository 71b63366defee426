import type { SrtpMasterKey, SrtpProfile } from "./srtp-profile.ts";

export interface SrtpReceiverStats {
  /** Not even a header and a tag. */
  malformed: number;
  /** The tag is wrong. */
  unauthentic: number;
  /** Seen before, or older than the replay window. */
  replayed: number;
  /** Of a further SSRC than we keep state for. */
  excessSsrc: number;
}

/** Unprotects what we receive. State changes only after a packet has proved authentic. */
export class SrtpReceiver {
  readonly stats: SrtpReceiverStats = { malformed: 0, unauthentic: 0, replayed: 0, excessSsrc: 0 };

  constructor(_profile: SrtpProfile, _master: SrtpMasterKey) {
    throw new Error("not built yet");
  }

  /**
   * Unprotects an SRTP packet in place. Allocates nothing, never throws.
   * @returns Length of the RTP packet that `packet` now begins with; -1 when it was dropped (and counted).
   */
  unprotectRtp(_packet: Uint8Array): number {
    throw new Error("not built yet");
  }

  /** The same for SRTCP. */
  unprotectRtcp(_packet: Uint8Array): number {
    throw new Error("not built yet");
  }
}
