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

const BLOCK_BYTES = 16;
/** Blocks for each label: two, for the longest key. */
const LABEL_BYTES = 2 * BLOCK_BYTES;
/** RFC 3711 §4.3.2: encryption key, authentication key and salt of SRTP, then those of SRTCP. */
const LABELS = 6;
const FIRST_RTP_LABEL = 0;
const FIRST_RTCP_LABEL = 3;
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
  const keystream = deriveKeystream(master);
  const key = (label: number, keyBytes: number) =>
    keystream.subarray(label * LABEL_BYTES, label * LABEL_BYTES + keyBytes);
  const sessionKeys = (firstLabel: number): SessionKeys => ({
    encryptionKey: key(firstLabel, bytes.key),
    authenticationKey: key(firstLabel + 1, AUTHENTICATION_KEY_BYTES),
    salt: key(firstLabel + 2, bytes.salt),
  });
  return { rtp: sessionKeys(FIRST_RTP_LABEL), rtcp: sessionKeys(FIRST_RTCP_LABEL) };
}

/**
 * RFC 3711 §4.3.3: AES in counter mode from salt and label, the counter in the last two bytes. All labels go through one
 * cipher, as making one costs 5 us. The 12 bytes of an AEAD's salt get zeros behind them (RFC 7714 §11).
 */
function deriveKeystream(master: SrtpMasterKey): Uint8Array {
  const counters = new Uint8Array(LABELS * LABEL_BYTES);
  for (let at = 0; at < counters.length; at += BLOCK_BYTES) {
    counters.set(master.salt, at);
    const label = Math.floor(at / LABEL_BYTES);
    counters[at + LABEL_OFFSET] = (counters[at + LABEL_OFFSET] ?? 0) ^ label;
    counters[at + BLOCK_BYTES - 1] = (at % LABEL_BYTES) / BLOCK_BYTES;
  }
  return createCipheriv("aes-128-ecb", master.key, null).setAutoPadding(false).update(counters);
}
