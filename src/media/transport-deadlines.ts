import { TimerWheel, type WheelEntry } from "../core/transport/timer-wheel.ts";
import type { Clock } from "../platform/clock.ts";
import type { TimerHandle, Timers } from "../platform/timers.ts";

/** The deadlines of all legs on one timer, which is there only while something waits. */
export class TransportDeadlines {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #wheel: TimerWheel;
  #timer: TimerHandle | null = null;
  #timerMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, timers: Timers) {
    this.#clock = clock;
    this.#timers = timers;
    this.#wheel = new TimerWheel(clock.nowMs());
  }

  /** Lets the entry wait for this time, in ms of the monotonic clock, and nothing else. Infinity: for nothing. */
  set(entry: WheelEntry, deadlineMs: number): void {
    this.#wheel.set(entry, deadlineMs);
    this.#setTimer();
  }

  remove(entry: WheelEntry): void {
    this.#wheel.remove(entry);
    this.#setTimer();
  }

  #setTimer(): void {
    const { wakeMs } = this.#wheel;
    // A timer that comes too early does no harm; to move it each time costs more.
    if (wakeMs >= this.#timerMs && wakeMs !== Number.POSITIVE_INFINITY) return;
    if (this.#timer !== null) this.#timers.clearTimer(this.#timer);
    this.#timer = null;
    this.#timerMs = wakeMs;
    if (wakeMs === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#timers.setTimer(Math.max(0, wakeMs - this.#clock.nowMs()), this.#advance);
  }

  readonly #advance = (): void => {
    this.#timer = null;
    this.#timerMs = Number.POSITIVE_INFINITY;
    this.#wheel.advance(this.#clock.nowMs());
    this.#setTimer();
  };
}
