import type { Clock } from "../platform/clock.ts";
import type { TimerHandle, Timers } from "../platform/timers.ts";

interface ManualTimer {
  readonly dueMs: number;
  readonly order: number;
  readonly callback: () => void;
}

export interface ManualClockOptions {
  /** Monotonic time at the start, in ms. Default 0. */
  readonly nowMs?: number;
  /** Wall time at the start, in ms since the Unix epoch. Default 2026-01-01T00:00:00Z. */
  readonly wallMs?: number;
}

/** A clock and timers that move only when told to. Timers fire in the order of their due times. */
export class ManualClock implements Clock, Timers {
  readonly #timers = new Set<ManualTimer>();
  #wallOffsetMs: number;
  #nowMs: number;
  #order = 0;

  constructor(options: ManualClockOptions = {}) {
    this.#nowMs = options.nowMs ?? 0;
    this.#wallOffsetMs = (options.wallMs ?? 1_767_225_600_000) - this.#nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#nowMs + this.#wallOffsetMs;
  }

  /** How many timers are set: 0 proves that nothing was left behind. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  setTimer(delayMs: number, callback: () => void): TimerHandle {
    this.#order += 1;
    const timer: ManualTimer = { dueMs: this.#nowMs + Math.max(0, delayMs), order: this.#order, callback };
    this.#timers.add(timer);
    return timer;
  }

  clearTimer(handle: TimerHandle): void {
    this.#timers.delete(handle as ManualTimer);
  }

  /** Moves time on by `ms` and fires what falls due on the way, each timer at its own time. */
  advance(ms: number): void {
    const targetMs = this.#nowMs + ms;
    for (let timer = this.#next(targetMs); timer !== null; timer = this.#next(targetMs)) {
      this.#timers.delete(timer);
      this.#nowMs = Math.max(this.#nowMs, timer.dueMs);
      timer.callback();
    }
    this.#nowMs = targetMs;
  }

  /** Like `advance`, but the event loop runs between the timers, so that promises settle at the right time. */
  async advanceAsync(ms: number): Promise<void> {
    const targetMs = this.#nowMs + ms;
    await settle();
    for (let timer = this.#next(targetMs); timer !== null; timer = this.#next(targetMs)) {
      this.#timers.delete(timer);
      this.#nowMs = Math.max(this.#nowMs, timer.dueMs);
      timer.callback();
      await settle();
    }
    this.#nowMs = targetMs;
  }

  /** Moves time on by `ms` without a look at the timers: a blocked event loop. They fire late, at the end. */
  stall(ms: number): void {
    this.#nowMs += ms;
    this.advance(0);
  }

  /** Sets the wall clock without touching monotonic time, as an NTP step does. */
  setWallMs(wallMs: number): void {
    this.#wallOffsetMs = wallMs - this.#nowMs;
  }

  #next(untilMs: number): ManualTimer | null {
    let next: ManualTimer | null = null;
    for (const timer of this.#timers) {
      if (timer.dueMs > untilMs) continue;
      if (next === null || timer.dueMs < next.dueMs) next = timer;
    }
    return next;
  }
}

function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
