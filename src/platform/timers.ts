/** What `setTimer` gives and `clearTimer` takes. Opaque: each `Timers` knows its own. */
export type TimerHandle = object;

/** One-shot timers. Passed in wherever code waits, so that tests advance time by hand. */
export interface Timers {
  /** Calls `callback` once, no earlier than about `delayMs` from now. */
  setTimer(delayMs: number, callback: () => void): TimerHandle;
  /** Does nothing when the timer has fired or was cleared before. */
  clearTimer(handle: TimerHandle): void;
}

export const systemTimers: Timers = {
  setTimer: (delayMs, callback) => setTimeout(callback, delayMs),
  clearTimer: (handle) => clearTimeout(handle as NodeJS.Timeout),
};
