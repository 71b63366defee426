import { createCipheriv } from "node:crypto";
import { RingbackError } from "../../../errors.ts";
import { SRTP_KEY_BYTES, type SrtpMasterKey, type SrtpProfile } from "./srtp-profile.ts";

/** One direction's session keys for SRTP or for SRTCP. */
export interface SessionKeys {
  readonly encryptionKey: Uint8Array;
  readonly salt: Uint8Array;
  /** Unused by the AEAD profile. */
  readonly authenticationKey: Uint8Array;
}

/** RFC 3711 §4.3.2: each label gives another key. */
const RTP_LABELS = { encryption: 0, authentication: 1, salt: 2 };
const RTCP_LABELS = { encryption: 3, authentication: 4, salt: 5 };

const IV_BYTES = 16;
/** RFC 3711 §4.3.1: label and packet index (48 bits) are aligned with the end of the 14 bytes of salt. */
const LABEL_OFFSET = 7;
/** RFC 3711 §5.2: 160 bits for HMAC-SHA1. */
const AUTHENTICATION_KEY_BYTES = 20;

/**
 * Derives what one direction uses from its master key (RFC 3711 §4.3, RFC 7714 §11), with a key derivation rate of 0:
 * DTLS-SRTP has no other (RFC 5764 §4.1.2).
 * @throws {RingbackError} `OPTION_INVALID` when key or salt have not the profile's length.
 */
export function deriveSessionKeys(
  profile: SrtpProfile,
  master: SrtpMasterKey,
): { readonly rtp: SessionKeys; readonly rtcp: SessionKeys } {
  const bytes = SRTP_KEY_BYTES[profile];
  if (master.key.length !== bytes.key || master.salt.length !== bytes.salt) {
    throw new RingbackError(
      "OPTION_INVALID",
      `${profile} takes ${bytes.key} bytes of key, ${bytes.salt} of salt`,
      {
        details: { option: "master" },
      },
    );
  }
  const derive = (labels: typeof RTP_LABELS): SessionKeys => ({
    encryptionKey: deriveKey(master, labels.encryption, bytes.key),
    salt: deriveKey(master, labels.salt, bytes.salt),
    authenticationKey: deriveKey(master, labels.authentication, AUTHENTICATION_KEY_BYTES),
  });
  return { rtp: derive(RTP_LABELS), rtcp: derive(RTCP_LABELS) };
}

/** RFC 3711 §4.3.3: AES in counter mode over zeros. The 12 bytes of an AEAD's salt get zeros behind them (RFC 7714 §11). */
function deriveKey(master: SrtpMasterKey, label: number, lengthBytes: number): Uint8Array {
  const iv = new Uint8Array(IV_BYTES);
  iv.set(master.salt);
  iv[LABEL_OFFSET] = (iv[LABEL_OFFSET] ?? 0) ^ label;
  return createCipheriv("aes-128-ctr", master.key, iv).update(new Uint8Array(lengthBytes));
}
