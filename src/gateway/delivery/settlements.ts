import type { Timers } from "../../platform/timers.ts";
import type { DeliveryResult, Outbox } from "../../store/types.ts";

/** Answers come one by one, each in a turn of its own: those of this time share a transaction, and one wait for the disk. In ms. */
const GATHER_MS = 5;

interface Waiting {
  readonly result: DeliveryResult;
  readonly resolve: (written: Promise<void>) => void;
}

/** Hands results to the store together. There are no more of them than attempts under way. */
export class Settlements {
  readonly #outbox: Pick<Outbox, "settle">;
  readonly #timers: Timers;
  #waiting: Waiting[] = [];

  constructor(outbox: Pick<Outbox, "settle">, timers: Timers) {
    this.#outbox = outbox;
    this.#timers = timers;
  }

  /** Resolves once it is written. @throws {RingbackError} `STORE_UNAVAILABLE`. */
  settle(result: DeliveryResult): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ result, resolve });
      if (this.#waiting.length === 1) this.#timers.setTimer(GATHER_MS, () => this.#write());
    });
  }

  #write(): void {
    for (const { result, resolve } of this.#waiting.splice(0)) resolve(this.#outbox.settle(result));
  }
}
