import type { Timers } from "../../platform/timers.ts";

/** Resolves after the time, or at once when the signal aborts. */
export function sleep(ms: number, timers: Timers, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      timers.clearTimer(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = timers.setTimer(ms, end);
    signal.addEventListener("abort", end, { once: true });
  });
}
