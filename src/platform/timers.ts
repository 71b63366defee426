/** What `setTimer` gives and `clearTimer` takes. Opaque: each `Timers` knows its own. */
export type TimerHandle = object;

/** One-shot timers. Passed in wherever code waits, so that tests advance time by hand. */
export interface Timers {
  /** Calls `callback` once, no earlier than about `delayMs` from now, at most 24.8 days. */
  setTimer(delayMs: number, callback: () => void): TimerHandle;
  /** Does nothing when the timer has fired or was cleared before. */
  clearTimer(handle: TimerHandle): void;
}

/** Node's longest delay, 24.8 days; a longer one would fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

export const systemTimers: Timers = {
  setTimer: (delayMs, callback) => setTimeout(callback, Math.min(delayMs, MAX_DELAY_MS)),
  clearTimer: (handle) => clearTimeout(handle as NodeJS.Timeout),
};
