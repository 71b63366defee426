import { isRingbackError } from "../../errors.ts";
import type { Logger } from "../../logger.ts";
import type { Timers } from "../../platform/timers.ts";
import { sleep } from "./sleep.ts";

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5_000;

/** Work with a store that may be away for a while: it is done again until it is done, and told once. */
export class StoreAccess {
  readonly #timers: Timers;
  readonly #logger: Logger;
  readonly #signal: AbortSignal;
  #isAway = false;
  #isFaultTold = false;

  constructor(timers: Timers, logger: Logger, signal: AbortSignal) {
    this.#timers = timers;
    this.#logger = logger;
    this.#signal = signal;
  }

  /** Null when the signal aborted before it was done. */
  async until<T>(work: () => Promise<T>): Promise<{ readonly value: T } | null> {
    for (let waitMs = FIRST_WAIT_MS; !this.#signal.aborted; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
      const done = await this.once(work);
      if (done !== null) return done;
      await sleep(waitMs, this.#timers, this.#signal);
    }
    return null;
  }

  /** Null when it failed. */
  async once<T>(work: () => Promise<T>): Promise<{ readonly value: T } | null> {
    try {
      const value = await work();
      this.#back();
      return { value };
    } catch (error) {
      this.#away(error);
      return null;
    }
  }

  #away(error: unknown): void {
    if (!isRingbackError(error, "STORE_UNAVAILABLE")) {
      if (this.#isFaultTold) return;
      this.#isFaultTold = true;
      this.#logger.error({ err: error }, "a delivery's work with the store failed: it is tried again");
      return;
    }
    if (this.#isAway) return;
    this.#isAway = true;
    const { reason } = error.details;
    this.#logger.warn(
      { reason },
      "the store cannot be reached: deliveries wait and nothing of them is lost; see STORE_UNAVAILABLE in docs/errors.md",
    );
  }

  #back(): void {
    this.#isFaultTold = false;
    if (!this.#isAway) return;
    this.#isAway = false;
    this.#logger.info({}, "the store is there again: deliveries go on");
  }
}
