/** What the parser takes at most. WhatsApp's SDP is near 1 KiB in 30 lines; Chromium's with video stays under 10 KiB. */
export interface SdpLimits {
  /** UTF-16 code units of the whole text. */
  readonly textChars: number;
  readonly lines: number;
  /** Characters of one line without its line end. */
  readonly lineChars: number;
  readonly mediaSections: number;
  /** ICE candidates that are read; further ones are left out. */
  readonly candidates: number;
  /** Fingerprints that are read; further ones are left out. */
  readonly fingerprints: number;
}

export const SDP_LIMITS: SdpLimits = {
  textChars: 65_536,
  lines: 1_000,
  lineChars: 4_096,
  mediaSections: 16,
  candidates: 32,
  fingerprints: 16,
};
