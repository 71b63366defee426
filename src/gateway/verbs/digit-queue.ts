import type { VerbCall } from "./verb-call.ts";

/** Keys that were pressed and not asked for yet; further ones are dropped. */
const MAX_WAITING = 128;

/** Keys that the caller has pressed, for those who ask for them: also before they are asked for. */
export class DigitQueue {
  /** Keys that found no room. */
  dropped = 0;
  readonly #waiting: string[] = [];
  #wake: (() => void) | null = null;

  constructor(call: VerbCall) {
    call.events.on("digit", ({ digit }) => this.#add(digit));
    void call.ended.then(() => this.#wake?.());
  }

  get size(): number {
    return this.#waiting.length;
  }

  /** The oldest key; null when there is none. */
  take(): string | null {
    return this.#waiting.shift() ?? null;
  }

  /** Resolves at the next key or the end of the call, and when `wake` is called. One at a time waits. */
  next(): { readonly come: Promise<void>; readonly wake: () => void } {
    let wake = (): void => {};
    const come = new Promise<void>((resolve) => {
      wake = resolve;
    });
    this.#wake?.();
    this.#wake = wake;
    if (this.#waiting.length > 0) wake();
    return { come, wake };
  }

  /** Forgets what was pressed so far. */
  clear(): void {
    this.#waiting.length = 0;
  }

  #add(digit: string): void {
    if (this.#waiting.length >= MAX_WAITING) this.dropped += 1;
    else this.#waiting.push(digit);
    this.#wake?.();
  }
}
