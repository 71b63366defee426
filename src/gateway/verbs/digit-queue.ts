import type { VerbCall } from "./verb-call.ts";

/** Keys that were pressed and not asked for yet; further ones are dropped. */
const MAX_WAITING = 128;

/** Keys that the caller has pressed, for those who ask for them: also before they are asked for. */
export class DigitQueue {
  /** Keys that found no room. */
  dropped = 0;
  readonly #waiting: string[] = [];
  readonly #waiters = new Set<() => void>();
  /** Who has keys for themselves. */
  #takers = 0;

  constructor(call: VerbCall) {
    call.events.on("digit", ({ digit }) => this.#add(digit));
    void call.ended.then(() => this.#wakeAll());
  }

  get size(): number {
    return this.#waiting.length;
  }

  /** The oldest key; null when there is none. */
  take(): string | null {
    return this.#waiting.shift() ?? null;
  }

  /** Calls `wake` at each key and at the end of the call. @returns Ends it. */
  watch(wake: () => void): () => void {
    this.#waiters.add(wake);
    return () => this.#waiters.delete(wake);
  }

  /** Keys from now on are somebody else's. @returns Ends it. */
  divert(): () => void {
    this.#takers += 1;
    let isOver = false;
    return () => {
      if (!isOver) this.#takers -= 1;
      isOver = true;
    };
  }

  /** Forgets what was pressed so far. */
  clear(): void {
    this.#waiting.length = 0;
  }

  #add(digit: string): void {
    if (this.#takers > 0) return;
    if (this.#waiting.length >= MAX_WAITING) this.dropped += 1;
    else this.#waiting.push(digit);
    this.#wakeAll();
  }

  #wakeAll(): void {
    for (const wake of this.#waiters) wake();
  }
}
