/** The two times that the program reads, apart: never compute a delay from wall time. */
export interface Clock {
  /** Monotonic, in ms with fractions, from an arbitrary origin. */
  nowMs(): number;
  /** Wall time in ms since the Unix epoch: for logs and for comparing with WhatsApp's timestamps only. */
  wallMs(): number;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
};
