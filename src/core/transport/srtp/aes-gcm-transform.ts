import { Ghash } from "./ghash.ts";
import type { SessionKeys } from "./key-derivation.ts";
import { Keystream } from "./keystream.ts";
import { type PacketParts, readInt32, writeInt32 } from "./packet-parts.ts";
import type { SrtpTransform } from "./srtp-transform.ts";
import { isTag, writeTag } from "./tag.ts";
import { xorInPlace } from "./xor.ts";

const BLOCK_BYTES = 16;
const RTCP_HEADER_BYTES = 8;

// RFC 7714 §9.2: SRTCP authenticates its header and, right behind it, the word from the packet's end.
const rtcpAdditionalData = new Uint8Array(RTCP_HEADER_BYTES + 4);

/** SRTP_AEAD_AES_128_GCM (RFC 7714 §8, §9), with the tag of 16 bytes that is its only one. */
export class AesGcmTransform implements SrtpTransform {
  readonly tagBytes: number = BLOCK_BYTES;
  // RFC 7714 §9.2: SRTCP ends with the tag, then E flag and index.
  readonly rtcpWordOffset: number = BLOCK_BYTES;
  readonly rtcpTagOffset: number = 0;

  readonly #keystream: Keystream;
  readonly #ghash: Ghash;
  readonly #isRtcp: boolean;

  constructor(keys: SessionKeys, kind: "rtp" | "rtcp") {
    this.#isRtcp = kind === "rtcp";
    this.#keystream = new Keystream({ profile: "SRTP_AEAD_AES_128_GCM", keys, prefetches: !this.#isRtcp });
    this.#ghash = new Ghash(this.#keystream.encryptZeros());
  }

  seal(parts: PacketParts): void {
    const blocks = this.#blocks(parts);
    const at = this.#keystream.locate(parts.ssrc, parts.index, blocks);
    this.#crypt(parts, at);
    writeTag(this.#digest(parts, at), parts.bytes, parts.tagStart, BLOCK_BYTES);
    this.#keystream.advance(parts.ssrc, parts.index, blocks);
  }

  open(parts: PacketParts): boolean {
    const blocks = this.#blocks(parts);
    const at = this.#keystream.locate(parts.ssrc, parts.index, blocks);
    if (!isTag(this.#digest(parts, at), parts.bytes, parts.tagStart, BLOCK_BYTES)) return false;
    this.#crypt(parts, at);
    this.#keystream.advance(parts.ssrc, parts.index, blocks);
    return true;
  }

  /** One for the tag, then those of the payload (NIST SP 800-38D §7.1). */
  #blocks({ payloadStart, payloadEnd }: PacketParts): number {
    return 1 + ((payloadEnd - payloadStart + 15) >>> 4);
  }

  #crypt({ bytes, payloadStart, payloadEnd }: PacketParts, at: number): void {
    xorInPlace(bytes, payloadStart, payloadEnd, this.#keystream.bytes, at + BLOCK_BYTES);
  }

  /** GHASH of additional data and ciphertext, hidden by the first block of keystream. */
  #digest({ bytes, start, payloadStart, payloadEnd, word }: PacketParts, at: number): Int32Array {
    const ghash = this.#ghash;
    ghash.reset();
    let additionalBytes = payloadStart - start;
    if (this.#isRtcp) {
      for (let i = 0; i < RTCP_HEADER_BYTES; i++) rtcpAdditionalData[i] = bytes[start + i] ?? 0;
      writeInt32(rtcpAdditionalData, RTCP_HEADER_BYTES, word);
      additionalBytes = rtcpAdditionalData.length;
      ghash.update(rtcpAdditionalData, 0, additionalBytes);
    } else {
      ghash.update(bytes, start, payloadStart);
    }
    ghash.update(bytes, payloadStart, payloadEnd);
    const digest = ghash.digest(additionalBytes, payloadEnd - payloadStart);
    for (let i = 0; i < 4; i++) {
      digest[i] = (digest[i] ?? 0) ^ readInt32(this.#keystream.bytes, at + 4 * i);
    }
    return digest;
  }
}
