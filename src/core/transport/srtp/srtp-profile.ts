/** RFC 5764 §4.1.2 and RFC 7714 §14.2, by their names there. */
export type SrtpProfile = "SRTP_AEAD_AES_128_GCM" | "SRTP_AES128_CM_HMAC_SHA1_80";

/** DTLS `use_srtp` ids. */
export const SRTP_PROFILE_IDS: Readonly<Record<SrtpProfile, number>> = {
  SRTP_AEAD_AES_128_GCM: 0x0007,
  SRTP_AES128_CM_HMAC_SHA1_80: 0x0001,
};

/** Bytes of master key and master salt. */
export const SRTP_KEY_BYTES: Readonly<Record<SrtpProfile, { readonly key: number; readonly salt: number }>> =
  {
    SRTP_AEAD_AES_128_GCM: { key: 16, salt: 12 },
    SRTP_AES128_CM_HMAC_SHA1_80: { key: 16, salt: 14 },
  };

/** The most bytes that protection adds to an SRTCP packet (tag and index); SRTP adds fewer. */
export const SRTP_MAX_OVERHEAD_BYTES = 20;

/** One direction's master key and salt. */
export interface SrtpMasterKey {
  readonly key: Uint8Array;
  readonly salt: Uint8Array;
}
