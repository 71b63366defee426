import type { Ongoing, OngoingEnd } from "./session-audio.ts";

/** Ends once, and says how. */
export class OngoingTask implements Ongoing {
  readonly finished: Promise<OngoingEnd>;
  readonly #release: () => void;
  #resolve: (end: OngoingEnd) => void = () => {};
  #isOver = false;

  /** @param release Called at the end, before it is told. */
  constructor(release: () => void) {
    this.#release = release;
    this.finished = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  stop(): void {
    this.end("stopped");
  }

  end(end: OngoingEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#release();
    this.#resolve(end);
  }
}
