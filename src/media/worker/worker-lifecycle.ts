import type { Clock } from "../../platform/clock.ts";
import type { TimerHandle, Timers } from "../../platform/timers.ts";
import type { WorkerThread, WorkerThreadListener } from "../../platform/worker-thread.ts";
import type { FromWorker, ToWorker } from "./messages.ts";
import { fromWireError } from "./wire-error.ts";

export type WorkerReady = Extract<FromWorker, { readonly type: "ready" }>;
/** What a worker says in its work. */
export type WorkMessage = Exclude<FromWorker, { readonly type: "ready" | "start-failed" }>;

export interface WorkerLifecycleOptions {
  readonly startThread: (listener: WorkerThreadListener<FromWorker>) => WorkerThread<ToWorker>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly onMessage: (message: WorkMessage) => void;
  /** The thread broke down; another one is started in `pauseMs`. */
  readonly onCrash: (error: unknown, pauseMs: number) => void;
}

const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 30_000;
/** A worker that was up for so long is worth an immediate start again. */
const HEALTHY_MS = 60_000;
/** How long a worker may take to close its calls. */
const CLOSE_GRACE_MS = 2_000;

/** Keeps one worker thread running: starts it, starts it again when it breaks down, and ends it. */
export class WorkerLifecycle {
  readonly #options: WorkerLifecycleOptions;
  #thread: WorkerThread<ToWorker> | null = null;
  #ready: WorkerReady | null = null;
  #first: { resolve(): void; reject(error: unknown): void } | null = null;
  /** Why the thread will be gone, where that is known before. */
  #fault: Error | null = null;
  #startedMs = 0;
  #pauseMs = FIRST_PAUSE_MS;
  #pause: TimerHandle | null = null;
  #restarts = 0;
  #closing: Promise<void> | null = null;
  #onGone: () => void = () => {};

  constructor(options: WorkerLifecycleOptions) {
    this.#options = options;
  }

  /** What the worker said when it was up; null while it is not. */
  get ready(): WorkerReady | null {
    return this.#ready;
  }

  get restarts(): number {
    return this.#restarts;
  }

  /** Resolves when the worker is up. Rejects when it cannot start; it is not tried again then. Once. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#first = { resolve, reject };
      this.#spawn();
    });
  }

  /** Nothing happens while there is no thread. */
  post(message: ToWorker, transfer?: readonly ArrayBuffer[]): void {
    this.#thread?.post(message, transfer);
  }

  /** Ends a thread that does nothing any more; it counts as broken down by `fault`. */
  breakDown(fault: Error): void {
    this.#fault = fault;
    void this.#thread?.terminate();
  }

  /** Asks the worker to close its calls, and ends it when it does not. Resolves when it is gone. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #spawn(): void {
    this.#startedMs = this.#options.clock.nowMs();
    this.#fault = null;
    this.#thread = this.#options.startThread({
      onMessage: (message) => this.#onMessage(message),
      onExit: (error) => this.#onExit(error),
    });
  }

  #onMessage(message: FromWorker): void {
    if (message.type === "ready") {
      this.#ready = message;
      this.#first?.resolve();
      this.#first = null;
    } else if (message.type === "start-failed") this.#fault = fromWireError(message.error);
    else this.#options.onMessage(message);
  }

  #onExit(error: unknown): void {
    this.#thread = null;
    this.#ready = null;
    this.#onGone();
    const cause = this.#fault ?? error ?? new Error("The worker ended by itself.");
    if (this.#first !== null) {
      this.#first.reject(cause);
      this.#first = null;
    } else if (this.#closing === null) this.#startAgain(cause);
  }

  #startAgain(error: unknown): void {
    const { clock, timers, onCrash } = this.#options;
    if (clock.nowMs() - this.#startedMs > HEALTHY_MS) this.#pauseMs = FIRST_PAUSE_MS;
    const pauseMs = this.#pauseMs;
    this.#pauseMs = Math.min(MAX_PAUSE_MS, pauseMs * 2);
    this.#pause = timers.setTimer(pauseMs, () => {
      this.#pause = null;
      this.#restarts += 1;
      this.#spawn();
    });
    onCrash(error, pauseMs);
  }

  #close(): Promise<void> {
    const { timers } = this.#options;
    if (this.#pause !== null) timers.clearTimer(this.#pause);
    const thread = this.#thread;
    if (thread === null) return Promise.resolve();
    return new Promise((resolve) => {
      const overdue = timers.setTimer(CLOSE_GRACE_MS, () => void thread.terminate());
      this.#onGone = () => {
        timers.clearTimer(overdue);
        resolve();
      };
      thread.post({ type: "shut-down" });
    });
  }
}
