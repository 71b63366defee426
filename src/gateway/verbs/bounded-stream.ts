/** Values for one reader, in order. Beyond its limit the oldest are dropped, and counted. */
export class BoundedStream<T> implements AsyncIterableIterator<T> {
  dropped = 0;
  readonly #limit: number;
  readonly #onReturn: () => void;
  readonly #values: T[] = [];
  #waiting: ((result: IteratorResult<T>) => void) | null = null;
  #isOver = false;

  /** @param onReturn The reader wants no more. */
  constructor(limit: number, onReturn: () => void) {
    this.#limit = limit;
    this.#onReturn = onReturn;
  }

  push(value: T): void {
    if (this.#isOver) return;
    const waiting = this.#waiting;
    if (waiting !== null) {
      this.#waiting = null;
      waiting({ done: false, value });
      return;
    }
    this.#values.push(value);
    if (this.#values.length <= this.#limit) return;
    this.#values.shift();
    this.dropped += 1;
  }

  /** No more comes; what waits is still read. Idempotent. */
  end(): void {
    this.#isOver = true;
    this.#waiting?.({ done: true, value: undefined });
    this.#waiting = null;
  }

  next(): Promise<IteratorResult<T>> {
    const value = this.#values.shift();
    if (value !== undefined) return Promise.resolve({ done: false, value });
    if (this.#isOver) return Promise.resolve({ done: true, value: undefined });
    // Of two that wait at once the first has to give up: a stream has one reader.
    this.#waiting?.({ done: true, value: undefined });
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  return(): Promise<IteratorResult<T>> {
    this.#values.length = 0;
    this.end();
    this.#onReturn();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
