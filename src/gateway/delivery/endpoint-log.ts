import type { BreakerState } from "../../core/delivery/circuit-breaker.ts";
import type { Logger } from "../../logger.ts";
import type { Clock } from "../../platform/clock.ts";
import type { AttemptOutcome } from "./attempt.ts";

/** Thousands of deliveries may be given up at once; one line a minute tells of them. */
const DEAD_EVERY_MS = 60_000;

/** What the log says of one endpoint: changes, and not each attempt. */
export class EndpointLog {
  readonly #logger: Logger;
  readonly #clock: Clock;
  #breaker: BreakerState = "closed";
  #refused: string | null = null;
  #dead = 0;
  #deadToldMs = Number.NEGATIVE_INFINITY;

  constructor(logger: Logger, clock: Clock, endpointId: string) {
    this.#logger = logger.child({ endpointId });
    this.#clock = clock;
  }

  attempted(outcome: AttemptOutcome, breaker: BreakerState): void {
    if (outcome.verdict === "failed") {
      this.#logger.debug({ status: outcome.status, reason: outcome.error }, "a delivery failed");
      this.#tellRefusal(outcome.error);
    } else this.#refused = null;
    if (breaker === this.#breaker) return;
    this.#breaker = breaker;
    this.#tellBreaker(breaker, outcome);
  }

  gone(): void {
    const text =
      "the endpoint answered 410 and is disabled: no event is kept for it; enable it again when it is wanted";
    this.#logger.warn({ status: 410 }, text);
  }

  gaveUp(count: number): void {
    this.#dead += count;
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#deadToldMs < DEAD_EVERY_MS) return;
    this.#logger.warn(
      { deliveries: this.#dead },
      "deliveries were given up after 24 h: replay them when the endpoint works again (docs/events.md)",
    );
    this.#dead = 0;
    this.#deadToldMs = nowMs;
  }

  #tellBreaker(breaker: BreakerState, outcome: AttemptOutcome): void {
    if (breaker === "closed") this.#logger.info({}, "the endpoint takes deliveries again");
    if (breaker !== "open") return;
    const text =
      "the endpoint fails all the time: its deliveries wait, and one is tried now and then; look at its server";
    this.#logger.warn({ status: outcome.status, reason: outcome.error }, text);
  }

  /** Nothing but a setting, or another URL, helps. */
  #tellRefusal(error: string | null): void {
    if (error === null || !error.startsWith("REQUEST_REFUSED") || error === this.#refused) return;
    this.#refused = error;
    const text =
      "the endpoint's URL is refused: give it a public https one, or list its host (docs/outgoing-requests.md)";
    this.#logger.warn({ reason: error }, text);
  }
}
