import { nextRtcpIndex, nextRtpIndex } from "./packet-index.ts";
import { PacketParts, readUint16, writeInt32 } from "./packet-parts.ts";
import type { SrtpMasterKey, SrtpProfile } from "./srtp-profile.ts";
import { createTransforms, type SrtpTransform } from "./srtp-transform.ts";

const E_FLAG = 0x80000000;
const WORD_BYTES = 4;

const parts = new PacketParts();

/** Protects what we send: RTP of one SSRC, and its RTCP (RFC 3711, RFC 7714). */
export class SrtpSender {
  readonly #rtp: SrtpTransform;
  readonly #rtcp: SrtpTransform;
  #ssrc = 0;
  #highestRtpIndex = -1;
  #highestRtcpIndex = -1;

  /** @throws {RingbackError} `OPTION_INVALID` when the master key has not the profile's length. */
  constructor(profile: SrtpProfile, master: SrtpMasterKey) {
    const { rtp, rtcp } = createTransforms(profile, master);
    this.#rtp = rtp;
    this.#rtcp = rtcp;
  }

  /**
   * Protects one RTP packet, the first `rtpBytes` of `rtp`, into `out` at `outOffset`. Allocates nothing on the steady
   * path. `out` may be `rtp` with an offset of 0.
   *
   * The first packet sets the SSRC; its sequence number had better be below 2^15, so that a receiver who misses the
   * first ones cannot take the wrong rollover counter (RFC 3711 §3.3.1).
   * @returns Bytes written; -1 when `out` has no room, the packet is malformed or of another SSRC, its sequence number
   * does not go up, or the key is used up (2^48 packets).
   */
  protectRtp(rtp: Uint8Array, rtpBytes: number, out: Uint8Array, outOffset: number): number {
    const end = outOffset + rtpBytes;
    if (end + this.#rtp.tagBytes > out.length) return -1;
    copy(rtp, rtpBytes, out, outOffset);
    if (!parts.readRtp(out, outOffset, end)) return -1;
    if (this.#highestRtpIndex >= 0 && parts.ssrc !== this.#ssrc) return -1;
    const index = nextRtpIndex(this.#highestRtpIndex, readUint16(out, outOffset + 2));
    if (index < 0) return -1;
    this.#ssrc = parts.ssrc;
    this.#highestRtpIndex = index;
    parts.index = index;
    parts.word = Math.floor(index / 0x10000) | 0;
    parts.tagStart = end;
    this.#rtp.seal(parts);
    return rtpBytes + this.#rtp.tagBytes;
  }

  /** The same for a compound RTCP packet. @returns Bytes written; -1 as for RTP, the key being used up at 2^31 packets. */
  protectRtcp(rtcp: Uint8Array, rtcpBytes: number, out: Uint8Array, outOffset: number): number {
    const end = outOffset + rtcpBytes;
    const protectedBytes = rtcpBytes + this.#rtcp.tagBytes + WORD_BYTES;
    if (outOffset + protectedBytes > out.length) return -1;
    copy(rtcp, rtcpBytes, out, outOffset);
    if (!parts.readRtcp(out, outOffset, end)) return -1;
    const index = nextRtcpIndex(this.#highestRtcpIndex);
    if (index < 0) return -1;
    this.#highestRtcpIndex = index;
    parts.index = index;
    parts.word = E_FLAG | index;
    parts.tagStart = end + this.#rtcp.rtcpTagOffset;
    this.#rtcp.seal(parts);
    writeInt32(out, end + this.#rtcp.rtcpWordOffset, parts.word);
    return protectedBytes;
  }
}

/** A loop: for some 100 bytes it is quicker than `set`, which would need a view of the packet as well. */
function copy(from: Uint8Array, bytes: number, to: Uint8Array, toOffset: number): void {
  if (from === to && toOffset === 0) return;
  for (let i = 0; i < bytes; i++) to[toOffset + i] = from[i] ?? 0;
}
