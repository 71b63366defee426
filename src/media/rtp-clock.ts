/** WhatsApp takes packets of 20 ms only: `a=ptime:20`, `a=maxptime:20` in its SDP. */
export const RTP_SLOT_MS = 20;

/** RFC 7587 §4.1: Opus RTP timestamps run at 48 kHz whatever the audio's rate. */
export const OPUS_CLOCK_RATE_HZ = 48_000;

/** Samples of one 20 ms packet, and the step of its RTP timestamp. */
export const SLOT_RTP_TICKS = 960;
