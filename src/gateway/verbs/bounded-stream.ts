interface Reader<T> {
  readonly resolve: (result: IteratorResult<T>) => void;
  readonly reject: (error: unknown) => void;
}

/** Values for one reader, in order. Beyond its limit the oldest are dropped, and counted. */
export class BoundedStream<T> implements AsyncIterableIterator<T> {
  dropped = 0;
  readonly #limit: number;
  readonly #onReturn: () => void;
  readonly #values: T[] = [];
  #waiting: Reader<T> | null = null;
  #isOver = false;
  #fault: { readonly error: unknown } | null = null;

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
      waiting.resolve({ done: false, value });
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
    this.#waiting?.resolve({ done: true, value: undefined });
    this.#waiting = null;
  }

  /** No more comes, because of a fault, which is told once. */
  fail(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#waiting === null) this.#fault = { error };
    else this.#waiting.reject(error);
    this.#waiting = null;
  }

  next(): Promise<IteratorResult<T>> {
    const value = this.#values.shift();
    if (value !== undefined) return Promise.resolve({ done: false, value });
    const fault = this.#fault;
    this.#fault = null;
    if (fault !== null) return Promise.reject(fault.error);
    if (this.#isOver) return Promise.resolve({ done: true, value: undefined });
    // Of two that wait at once the first has to give up: a stream has one reader.
    this.#waiting?.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
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
