import { estimateRtpIndex } from "./packet-index.ts";
import { PacketParts, readInt32, readUint16 } from "./packet-parts.ts";
import type { SrtpMasterKey, SrtpProfile } from "./srtp-profile.ts";
import { SrtpSources } from "./srtp-source.ts";
import { createTransforms, type SrtpTransform } from "./srtp-transform.ts";

const INDEX_MASK = 0x7fffffff;
const SEQUENCE_RANGE = 0x10000;
const WORD_BYTES = 4;

const parts = new PacketParts();

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

  readonly #rtp: SrtpTransform;
  readonly #rtcp: SrtpTransform;
  readonly #rtpSources = new SrtpSources();
  readonly #rtcpSources = new SrtpSources();

  /** @throws {RingbackError} `OPTION_INVALID` when the master key has not the profile's length. */
  constructor(profile: SrtpProfile, master: SrtpMasterKey) {
    const { rtp, rtcp } = createTransforms(profile, master);
    this.#rtp = rtp;
    this.#rtcp = rtcp;
  }

  /**
   * Unprotects an SRTP packet in place. Allocates nothing on the steady path, never throws.
   * @returns Length of the RTP packet that `packet` now begins with; -1 when it was dropped (and counted).
   */
  unprotectRtp(packet: Uint8Array): number {
    const end = packet.length - this.#rtp.tagBytes;
    if (!parts.readRtp(packet, 0, end)) return this.#dropMalformed();
    const source = this.#rtpSources.find(parts.ssrc);
    setRtpIndex(estimateRtpIndex(source === null ? -1 : source.highestIndex, readUint16(packet, 2)));
    parts.tagStart = end;
    return this.#open(this.#rtp, this.#rtpSources) ? end : -1;
  }

  /** The same for SRTCP. */
  unprotectRtcp(packet: Uint8Array): number {
    const end = packet.length - this.#rtcp.tagBytes - WORD_BYTES;
    if (!parts.readRtcp(packet, 0, end)) return this.#dropMalformed();
    parts.word = readInt32(packet, end + this.#rtcp.rtcpWordOffset);
    // Both profiles encrypt SRTCP (RFC 5764 §4.1.2): without the E flag, the sign, it is not what was agreed on.
    if (parts.word >= 0) return this.#dropMalformed();
    parts.index = parts.word & INDEX_MASK;
    parts.tagStart = end + this.#rtcp.rtcpTagOffset;
    return this.#open(this.#rtcp, this.#rtcpSources) ? end : -1;
  }

  /** RFC 3711 §3.3: replay check, authentication, decryption, and only then the update. */
  #open(transform: SrtpTransform, sources: SrtpSources): boolean {
    const { ssrc, index } = parts;
    const source = sources.find(ssrc);
    if (source === null && sources.isFull) {
      this.stats.excessSsrc += 1;
      return false;
    }
    if (index < 0 || (source !== null && !source.replay.isNew(index))) {
      this.stats.replayed += 1;
      return false;
    }
    const mayHaveWrapped = source === null && transform === this.#rtp;
    if (!transform.open(parts) && !(mayHaveWrapped && this.#openAfterWrap())) {
      this.stats.unauthentic += 1;
      return false;
    }
    sources.accept(source, ssrc, parts.index);
    return true;
  }

  /**
   * A stream may begin right before a wrap (RFC 3550 §5.1: anywhere) and lose all packets up to it. Its first one here then
   * has a rollover counter of 1, as its tag proves; with 0 nothing of the stream would ever be heard.
   */
  #openAfterWrap(): boolean {
    if (parts.index >= SEQUENCE_RANGE / 2) return false;
    setRtpIndex(parts.index + SEQUENCE_RANGE);
    return this.#rtp.open(parts);
  }

  #dropMalformed(): number {
    this.stats.malformed += 1;
    return -1;
  }
}

function setRtpIndex(index: number): void {
  parts.index = index;
  parts.word = Math.floor(index / SEQUENCE_RANGE) | 0;
}
