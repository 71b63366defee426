/** Bounds how much of one kind of work goes on at once, and how much waits for it. */
export class WorkLimit {
  readonly #maxRunning: number;
  readonly #maxWaiting: number;
  #running = 0;
  #refused = 0;
  /** In the order of arrival. */
  readonly #waiting = new Set<() => void>();

  constructor(maxRunning: number, maxWaiting: number) {
    this.#maxRunning = maxRunning;
    this.#maxWaiting = maxWaiting;
  }

  /** Work that found no place in the line so far. */
  get refused(): number {
    return this.#refused;
  }

  /**
   * Waits for its turn and does the work. Null when too much waits already.
   *
   * @throws The signal's reason when it aborts in the line, and whatever the work throws.
   */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<{ readonly result: T } | null> {
    signal?.throwIfAborted();
    if (this.#running >= this.#maxRunning) {
      if (this.#waiting.size >= this.#maxWaiting) {
        this.#refused += 1;
        return null;
      }
      await this.#turn(signal);
    } else {
      this.#running += 1;
    }
    try {
      return { result: await work() };
    } finally {
      this.#leave();
    }
  }

  #turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        signal?.removeEventListener("abort", give);
        resolve();
      };
      const give = (): void => {
        this.#waiting.delete(enter);
        reject(signal?.reason);
      };
      this.#waiting.add(enter);
      signal?.addEventListener("abort", give, { once: true });
    });
  }

  /** The place goes to the next in line, or is free. */
  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#running -= 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
