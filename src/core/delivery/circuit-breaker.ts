/** Failures in a row that open it. */
export const FAILURES_TO_OPEN = 10;

/** How long it is open: doubled with each probe that fails, up to the longest. */
export const OPEN_MS: { readonly first: number; readonly longest: number } = {
  first: 30_000,
  longest: 300_000,
};

export type BreakerState = "closed" | "open" | "half-open";

/** Names one attempt, so that what was begun before a change of the state has no say after it. */
export interface BreakerTicket {
  readonly era: number;
}

/**
 * Keeps an endpoint that fails from being asked all the time. Closed: everything passes. Open: nothing does. Half open, when it was open
 * for its time: one attempt as a probe, which closes it or opens it for longer.
 *
 * What waits meanwhile is not tried, and loses none of its attempts. All times are monotonic, in ms.
 */
export class CircuitBreaker {
  #state: BreakerState = "closed";
  /** Changes with the state. */
  #era = 0;
  #failures = 0;
  #openMs = 0;
  #openUntilMs = 0;
  #isProbing = false;
  #pausedUntilMs = Number.NEGATIVE_INFINITY;
  #failingSinceMs: number | null = null;

  state(nowMs: number): BreakerState {
    if (this.#state === "open" && nowMs >= this.#openUntilMs) this.#become("half-open");
    return this.#state;
  }

  /** How many attempts may begin now. */
  room(nowMs: number): number {
    if (nowMs < this.#pausedUntilMs) return 0;
    const state = this.state(nowMs);
    if (state === "closed") return Number.POSITIVE_INFINITY;
    return state === "half-open" && !this.#isProbing ? 1 : 0;
  }

  /** How long there is no room for no other reason than time; 0 when time changes nothing. */
  waitMs(nowMs: number): number {
    const pauseMs = this.#pausedUntilMs - nowMs;
    const openMs = this.state(nowMs) === "open" ? this.#openUntilMs - nowMs : 0;
    return Math.max(0, pauseMs, openMs);
  }

  /** Since when nothing but failures came; null when the last attempt went well, or none was made. */
  get failingSinceMs(): number | null {
    return this.#failingSinceMs;
  }

  /** Begins an attempt, for which there is room. */
  begin(nowMs: number): BreakerTicket {
    if (this.state(nowMs) === "half-open") this.#isProbing = true;
    return { era: this.#era };
  }

  succeeded(ticket: BreakerTicket): void {
    this.#failingSinceMs = null;
    if (ticket.era !== this.#era) return;
    this.#failures = 0;
    this.#openMs = 0;
    if (this.#state !== "closed") this.#become("closed");
  }

  failed(ticket: BreakerTicket, nowMs: number): void {
    this.#failingSinceMs ??= nowMs;
    if (ticket.era !== this.#era) return;
    this.#failures += 1;
    if (this.#state === "closed" && this.#failures < FAILURES_TO_OPEN) return;
    this.#openMs = Math.min(this.#openMs === 0 ? OPEN_MS.first : 2 * this.#openMs, OPEN_MS.longest);
    this.#openUntilMs = nowMs + this.#openMs;
    this.#become("open");
  }

  /** The attempt said nothing about the endpoint: it was called off. */
  abandoned(ticket: BreakerTicket): void {
    if (ticket.era === this.#era) this.#isProbing = false;
  }

  /** Nothing begins before then: the endpoint asked for it. Never shortens another pause. */
  pause(untilMs: number): void {
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, untilMs);
  }

  #become(state: BreakerState): void {
    this.#state = state;
    this.#era += 1;
    this.#failures = 0;
    this.#isProbing = false;
  }
}
