import type { PhoneCallEndedBy } from "./phone-call.ts";

export interface CallOutcome {
  readonly endedBy: PhoneCallEndedBy;
  readonly status: "COMPLETED" | "FAILED";
  readonly errorCode: number | null;
}

/** Meta Calling API, "Troubleshooting" (read 2026-11-22): media receive timeout. */
const MEDIA_RECEIVE_TIMEOUT = 138021;

/**
 * The `status` of the `terminate` webhook. FAILED with 138021 is captured from a silent business. Meta does not say
 * what a call has that was never picked up: FAILED, after the wrappers of third parties.
 */
export function toOutcome(endedBy: PhoneCallEndedBy, wasAccepted: boolean): CallOutcome {
  if (endedBy === "no-media" || endedBy === "media-gap") {
    return { endedBy, status: "FAILED", errorCode: MEDIA_RECEIVE_TIMEOUT };
  }
  return { endedBy, status: wasAccepted ? "COMPLETED" : "FAILED", errorCode: null };
}
