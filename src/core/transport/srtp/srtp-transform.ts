import { AesCmTransform } from "./aes-cm-transform.ts";
import { AesGcmTransform } from "./aes-gcm-transform.ts";
import { deriveSessionKeys } from "./key-derivation.ts";
import type { PacketParts } from "./packet-parts.ts";
import type { SrtpMasterKey, SrtpProfile } from "./srtp-profile.ts";

/** The cryptography of one direction's SRTP or SRTCP packets. */
export interface SrtpTransform {
  readonly tagBytes: number;
  /** Where SRTCP's word of E flag and index goes, and where its tag, counted from the payload's end. */
  readonly rtcpWordOffset: number;
  readonly rtcpTagOffset: number;
  /** Encrypts the payload in place and writes the tag. */
  seal(parts: PacketParts): void;
  /** Decrypts the payload in place. @returns False when the tag is wrong; then nothing has changed. */
  open(parts: PacketParts): boolean;
}

/** @throws {RingbackError} `OPTION_INVALID` when the master key has not the profile's length. */
export function createTransforms(
  profile: SrtpProfile,
  master: SrtpMasterKey,
): { readonly rtp: SrtpTransform; readonly rtcp: SrtpTransform } {
  const { rtp, rtcp } = deriveSessionKeys(profile, master);
  return profile === "SRTP_AEAD_AES_128_GCM"
    ? { rtp: new AesGcmTransform(rtp, "rtp"), rtcp: new AesGcmTransform(rtcp, "rtcp") }
    : { rtp: new AesCmTransform(rtp, "rtp"), rtcp: new AesCmTransform(rtcp, "rtcp") };
}
