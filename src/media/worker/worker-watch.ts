import type { TimerHandle, Timers } from "../../platform/timers.ts";

export interface WorkerWatchOptions {
  readonly timers: Timers;
  /** Changes at least every second while the worker lives and has calls. */
  readonly readBeats: () => number;
  readonly hasCalls: () => boolean;
  /** Once for each `start`; `silentMs` is how long the worker has not been heard of, at least. */
  readonly onSilent: (silentMs: number) => void;
}

const CHECK_MS = 1_000;
/** Checks, not time: while this thread, or the machine, stands still, nothing is counted. */
const SILENT_CHECKS = 5;

/** Notices a worker that is there and does nothing, as one in an endless loop: its calls would be silent for good. */
export class WorkerWatch {
  readonly #options: WorkerWatchOptions;
  #timer: TimerHandle | null = null;
  #beats = 0;
  #silentChecks = 0;

  constructor(options: WorkerWatchOptions) {
    this.#options = options;
  }

  /** Watches for as long as there are calls. While it watches already, nothing changes. */
  start(): void {
    if (this.#timer !== null) return;
    this.#beats = this.#options.readBeats();
    this.#silentChecks = 0;
    this.#checkLater();
  }

  /** Idempotent. */
  stop(): void {
    if (this.#timer !== null) this.#options.timers.clearTimer(this.#timer);
    this.#timer = null;
  }

  #checkLater(): void {
    this.#timer = this.#options.timers.setTimer(CHECK_MS, () => {
      this.#timer = null;
      if (this.#options.hasCalls()) this.#check();
    });
  }

  #check(): void {
    const beats = this.#options.readBeats();
    this.#silentChecks = beats === this.#beats ? this.#silentChecks + 1 : 0;
    this.#beats = beats;
    if (this.#silentChecks < SILENT_CHECKS) this.#checkLater();
    else this.#options.onSilent(SILENT_CHECKS * CHECK_MS);
  }
}
