import { systemTimers, type TimerHandle } from "../platform/timers.ts";

/** The timers of one call, which all fall silent together when it ends. */
export class TimerGroup {
  readonly #pending = new Set<TimerHandle>();

  /** Runs `action` once after `delayMs`; with undefined, never. Returns how to call it off. */
  after(delayMs: number | undefined, action: () => void): () => void {
    if (delayMs === undefined) return () => {};
    const handle = systemTimers.setTimer(delayMs, () => {
      this.#pending.delete(handle);
      action();
    });
    this.#pending.add(handle);
    return () => this.#cancel(handle);
  }

  clear(): void {
    for (const handle of this.#pending) this.#cancel(handle);
  }

  #cancel(handle: TimerHandle): void {
    this.#pending.delete(handle);
    systemTimers.clearTimer(handle);
  }
}
