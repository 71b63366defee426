import type { RetentionPolicy } from "../../store/types.ts";

const DAY_MS = 86_400_000;

/** How long what is kept, unless options say otherwise, in ms. */
export const DEFAULT_RETENTION: RetentionPolicy = {
  /** WhatsApp delivers for seven days; one more for clocks. Less is not possible. */
  webhooksMs: 8 * DAY_MS,
  /** 13 months: the same month of the year before can still be compared. */
  callsMs: 396 * DAY_MS,
  eventsMs: 30 * DAY_MS,
  deliveriesMs: 30 * DAY_MS,
  recordingsMs: 30 * DAY_MS,
  /** 24 months: a proof must outlive what it proves the end of. */
  auditMs: 731 * DAY_MS,
};

/** What a run of the job came to. `more`: there is more to do than one run does. */
export type RetentionOutcome = "done" | "more" | "failed";

/** From the start of the gateway to the first run, in ms: calls come first. */
export const FIRST_RUN_MS = 5_000;

const DELAYS_MS: Readonly<Record<RetentionOutcome, number>> = {
  done: 3_600_000,
  more: 1_000,
  failed: 300_000,
};

/** From the end of a run to the next one, in ms. */
export function nextRunMs(outcome: RetentionOutcome): number {
  return DELAYS_MS[outcome];
}
