import { Counter, Histogram, type Registry } from "prom-client";
import type { EndedCall } from "../observer.ts";
import type { TimelineEntry, TimelineStep } from "../timeline.ts";
import { CALL_SECONDS, SETUP_SECONDS } from "./buckets.ts";
import { type Labels, snakeCase } from "./labels.ts";

/** Steps of the timeline that say how fast a call came up, by the names that metrics have for them. */
const SETUP_STEPS: ReadonlyMap<TimelineStep, string> = new Map([
  ["answer-built", "answer_built"],
  ["pre-accepted", "pre_accepted"],
  ["ice-connected", "ice"],
  ["media-connected", "media"],
  ["accepted", "accepted"],
  ["first-rtp-out", "first_rtp_out"],
  ["first-rtp-in", "first_rtp_in"],
]);

/** Calls that begin and end, and how long their parts took. */
export class CallMetrics {
  readonly #labels: Labels;
  readonly #started: Counter<"phone_number_id">;
  readonly #ended: Counter<"phone_number_id" | "reason" | "answered">;
  readonly #setup: Histogram<"step">;
  readonly #duration: Histogram;

  constructor(registry: Registry, labels: Labels) {
    const registers = [registry];
    this.#labels = labels;
    this.#started = new Counter({
      name: "ringback_calls_started_total",
      help: "Calls that the program was given, by the business number's id.",
      labelNames: ["phone_number_id"],
      registers,
    });
    this.#ended = new Counter({
      name: "ringback_calls_ended_total",
      help: "Calls that ended, by reason (docs/troubleshooting.md) and whether they had been answered.",
      labelNames: ["phone_number_id", "reason", "answered"],
      registers,
    });
    this.#setup = new Histogram({
      name: "ringback_call_setup_seconds",
      help: "From the webhook to a step of the call. `accepted` includes the time that the program takes to answer.",
      labelNames: ["step"],
      buckets: SETUP_SECONDS,
      registers,
    });
    this.#duration = new Histogram({
      name: "ringback_call_duration_seconds",
      help: "Answered calls, from the answer to the end.",
      buckets: CALL_SECONDS,
      registers,
    });
  }

  started(phoneNumberId: string): void {
    this.#started.inc({ phone_number_id: this.#labels.phoneNumberId(phoneNumberId) });
  }

  ended({ phoneNumberId, end, timeline }: EndedCall): void {
    this.#ended.inc({
      phone_number_id: this.#labels.phoneNumberId(phoneNumberId),
      reason: snakeCase(end.reason),
      answered: end.answered ? "yes" : "no",
    });
    if (end.answered) this.#duration.observe(end.durationMs / 1_000);
    this.#observeSetup(timeline);
  }

  #observeSetup(timeline: readonly TimelineEntry[]): void {
    const seen = new Set<string>();
    for (const { step, atMs } of timeline) {
      const label = SETUP_STEPS.get(step);
      if (label === undefined || seen.has(label)) continue;
      seen.add(label);
      this.#setup.observe({ step: label }, atMs / 1_000);
    }
  }
}
