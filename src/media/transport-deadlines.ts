import { TimerWheel, type WheelEntry } from "../core/transport/timer-wheel.ts";
import type { Clock } from "../platform/clock.ts";
import type { TimerHandle, Timers } from "../platform/timers.ts";

/** A timer that is later than this has been held up with the whole program, or machine. */
const STANDSTILL_MS = 1_000;
/** Time to take what has come in the meantime, some thousand datagrams. The event loop looks at timers before sockets. */
const READ_FIRST_MS = 100;

/** The deadlines of all legs on one timer, which is there only while something waits. */
export class TransportDeadlines {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #wheel: TimerWheel;
  #timer: TimerHandle | null = null;
  #timerMs = Number.POSITIVE_INFINITY;
  /** When the timer fires if nothing holds it up: not before it was set, unlike `#timerMs`. */
  #dueMs = 0;
  #notBeforeMs = 0;

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
    const wakeMs = Math.max(this.#wheel.wakeMs, this.#notBeforeMs);
    // A timer that comes too early does no harm; to move it each time costs more.
    if (wakeMs >= this.#timerMs && wakeMs !== Number.POSITIVE_INFINITY) return;
    if (this.#timer !== null) this.#timers.clearTimer(this.#timer);
    this.#timer = null;
    this.#timerMs = wakeMs;
    if (wakeMs === Number.POSITIVE_INFINITY) return;
    const nowMs = this.#clock.nowMs();
    this.#dueMs = Math.max(wakeMs, nowMs);
    this.#timer = this.#timers.setTimer(this.#dueMs - nowMs, this.#advance);
  }

  readonly #advance = (): void => {
    this.#timer = null;
    this.#timerMs = Number.POSITIVE_INFINITY;
    const nowMs = this.#clock.nowMs();
    // After a standstill the answers that deadlines wait for may lie in the sockets.
    if (nowMs - this.#dueMs > STANDSTILL_MS) this.#notBeforeMs = nowMs + READ_FIRST_MS;
    else this.#wheel.advance(nowMs);
    this.#setTimer();
  };
}
