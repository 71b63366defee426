/** Upper ends of histograms, all in seconds. */

/** A webhook's answer takes a few ms with the journal; WhatsApp gives up after some 20 s. */
export const ANSWER_SECONDS: number[] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 20];
/** WhatsApp's timestamps are whole seconds: below one there is nothing to tell. Retries go on for days. */
export const LAG_SECONDS: number[] = [1, 2, 3, 5, 10, 20, 30, 60, 120, 300, 3_600, 86_400];
/** From some ms on one machine to the 30 s that a phone rings. */
export const SETUP_SECONDS: number[] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 30];
export const CALL_SECONDS: number[] = [1, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200];
export const REQUEST_SECONDS: number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Above 20 ms the listener's buffer grows, above 100 ms words break. */
export const JITTER_SECONDS: number[] = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2];
export const ROUND_TRIP_SECONDS: number[] = [0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1];
/** Shares of packets, not seconds: Opus hides up to some 5 %. */
export const LOSS_RATIO: number[] = [0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5];
