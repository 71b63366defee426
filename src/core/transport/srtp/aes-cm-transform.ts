import { HmacSha1 } from "./hmac-sha1.ts";
import type { SessionKeys } from "./key-derivation.ts";
import { Keystream } from "./keystream.ts";
import type { PacketParts } from "./packet-parts.ts";
import type { SrtpTransform } from "./srtp-transform.ts";
import { isTag, writeTag } from "./tag.ts";
import { xorInPlace } from "./xor.ts";

/** SRTP_AES128_CM_HMAC_SHA1_80: AES in counter mode, then 80 bits of HMAC-SHA1 (RFC 3711 §4.1.1, §4.2.1). */
export class AesCmTransform implements SrtpTransform {
  readonly tagBytes: number = 10;
  // RFC 3711 §3.4: SRTCP ends with E flag and index, then the tag.
  readonly rtcpWordOffset: number = 0;
  readonly rtcpTagOffset: number = 4;

  readonly #keystream: Keystream;
  readonly #hmac: HmacSha1;

  constructor(keys: SessionKeys, kind: "rtp" | "rtcp") {
    const profile = "SRTP_AES128_CM_HMAC_SHA1_80";
    this.#keystream = new Keystream({ profile, keys, prefetches: kind === "rtp" });
    this.#hmac = new HmacSha1(keys.authenticationKey);
  }

  seal(parts: PacketParts): void {
    this.#crypt(parts);
    writeTag(this.#digest(parts), parts.bytes, parts.tagStart, this.tagBytes);
  }

  open(parts: PacketParts): boolean {
    if (!isTag(this.#digest(parts), parts.bytes, parts.tagStart, this.tagBytes)) return false;
    this.#crypt(parts);
    return true;
  }

  #crypt({ bytes, payloadStart, payloadEnd, ssrc, index }: PacketParts): void {
    const blocks = (payloadEnd - payloadStart + 15) >>> 4;
    if (blocks === 0) return;
    const at = this.#keystream.locate(ssrc, index, blocks);
    xorInPlace(bytes, payloadStart, payloadEnd, this.#keystream.bytes, at);
    this.#keystream.advance(ssrc, index, blocks);
  }

  /** RFC 3711 §4.2: of header, ciphertext and the word, which SRTP leaves out of the packet. */
  #digest({ bytes, start, payloadEnd, word }: PacketParts): Int32Array {
    return this.#hmac.digest(bytes, start, payloadEnd, word);
  }
}
