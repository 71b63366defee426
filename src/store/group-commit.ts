import { isRingbackError } from "../errors.ts";
import { storeUnavailable } from "./errors.ts";

export interface GroupCommitOptions<T, R> {
  /** Writes all of them or none; one result for each, in their order. */
  readonly write: (items: readonly T[]) => Promise<readonly R[]>;
  /** At most so many share a transaction. */
  readonly maxBatch: number;
  /** At most so many wait: more are refused with STORE_UNAVAILABLE `overloaded`. */
  readonly maxWaiting: number;
}

interface Waiting<T, R> {
  readonly item: T;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Lets items that come while a transaction is under way share the next one: what a disk takes for one, it takes for all of them.
 * They are written in the order they came in.
 */
export class GroupCommit<T, R> {
  readonly #options: GroupCommitOptions<T, R>;
  #waiting: Waiting<T, R>[] = [];
  #running: Promise<void> | null = null;

  constructor(options: GroupCommitOptions<T, R>) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Resolves once it is on the disk. */
  submit(item: T): Promise<R> {
    if (this.#waiting.length >= this.#options.maxWaiting)
      return Promise.reject(storeUnavailable("overloaded"));
    return new Promise<R>((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves once nothing waits any more. */
  async settled(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      // What comes in this turn of the event loop, over whatever sockets, shares the transaction.
      await new Promise<void>((resolve) => setImmediate(resolve));
      const batch = this.#waiting.slice(0, this.#options.maxBatch);
      this.#waiting = this.#waiting.slice(batch.length);
      await this.#write(batch);
    }
    this.#running = null;
  }

  async #write(batch: readonly Waiting<T, R>[]): Promise<void> {
    try {
      const results = await this.#options.write(batch.map(({ item }) => item));
      for (const [index, one] of batch.entries()) one.resolve(results[index] as R);
    } catch (error) {
      // One that cannot be written must not take the others with it; a store that cannot write at all refuses them all.
      if (batch.length > 1 && !isRingbackError(error, "STORE_UNAVAILABLE")) await this.#writeOneByOne(batch);
      else for (const one of batch) one.reject(error);
    }
  }

  async #writeOneByOne(batch: readonly Waiting<T, R>[]): Promise<void> {
    for (const one of batch) await this.#write([one]);
  }
}
