/** Runs the tasks of each call one after the other, and those of different calls side by side. */
export class CallLanes {
  readonly #last = new Map<string, Promise<void>>();
  readonly #onError: (error: unknown) => void;
  #onIdle: (() => void)[] = [];

  /** Nothing above catches: what one task breaks must not end the process, and with it every call. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Calls that have something to do. */
  get size(): number {
    return this.#last.size;
  }

  /** Resolves when the task is over; never rejects. */
  run(callKey: string, task: () => Promise<void>): Promise<void> {
    const before = this.#last.get(callKey) ?? Promise.resolve();
    const done = before.then(task).catch(this.#onError);
    this.#last.set(callKey, done);
    void done.then(() => {
      if (this.#last.get(callKey) !== done) return;
      this.#last.delete(callKey);
      if (this.#last.size > 0) return;
      for (const resolve of this.#onIdle.splice(0)) resolve();
    });
    return done;
  }

  /** Resolves when no call has anything to do. */
  idle(): Promise<void> {
    if (this.#last.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }
}
