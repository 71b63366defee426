import { isRingbackError } from "../../errors.ts";
import type { Logger } from "../../logger.ts";
import type { TimerHandle, Timers } from "../../platform/timers.ts";
import type { CallChange, CommitOutcome, Store } from "../../store/types.ts";
import { mergeChanges } from "./merge-changes.ts";

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 2_000;
/** Entries of the journal in one transaction. */
const MAX_FINISHED = 500;

export interface RecordWriterOptions {
  readonly store: Pick<Store, "calls" | "journal">;
  readonly timers: Timers;
  readonly logger: Logger;
  /** Told each time when the store cannot be written, and why. */
  readonly onUnavailable: (reason: string) => void;
}

/** What waits to be written of one call. */
interface Line {
  waiting: CallChange | null;
  /** Told what became of the change at hand. */
  onOutcome: ((outcome: CommitOutcome) => void)[];
}

/**
 * Writes what happens to calls, each call's changes in their order. While the store cannot be written, changes of a call are joined and
 * tried again: calls go on meanwhile, and nothing is lost but by the end of the process.
 */
export class RecordWriter {
  readonly #options: RecordWriterOptions;
  readonly #lines = new Map<string, Line>();
  /** Lines that wait for the store to come back. */
  readonly #waking = new Set<() => void>();
  #timer: TimerHandle | null = null;
  readonly #finished: number[] = [];
  #finishing: Promise<void> = Promise.resolve();
  #retryMs = FIRST_RETRY_MS;
  #isDown = false;
  #isAbandoned = false;
  #lost = 0;
  #onIdle: (() => void)[] = [];

  constructor(options: RecordWriterOptions) {
    this.#options = options;
  }

  /** Calls with something that is not written yet. */
  get waiting(): number {
    return this.#lines.size;
  }

  get isAbandoned(): boolean {
    return this.#isAbandoned;
  }

  /** Changes that the store refused for good; each is in the log. */
  get lost(): number {
    return this.#lost;
  }

  write(change: CallChange): void {
    this.#add(change, null);
  }

  /** The same, for who has to know what became of it: as soon as the store has taken it. */
  commit(change: CallChange): Promise<CommitOutcome> {
    return new Promise((resolve) => this.#add(change, resolve));
  }

  /** An entry of the journal is done. Lost in a crash, it is only looked at again. */
  finish(entryId: number): void {
    this.#finished.push(entryId);
    if (this.#finished.length === 1) this.#finishing = this.#finishAll();
  }

  /** Resolves when no entry of the journal waits to be marked as done. */
  finishedAll(): Promise<void> {
    return this.#finishing;
  }

  /** Resolves when all is written. */
  async idle(): Promise<void> {
    if (this.#lines.size > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
    await this.#finishing;
  }

  /** Waits for the store no longer: what is not written is given up. The next start finds these calls unfinished, and ends them. */
  abandon(): void {
    this.#isAbandoned = true;
    if (this.#lines.size > 0) {
      this.#options.logger.error(
        { calls: this.#lines.size },
        "call records could not be written before the end",
      );
    }
    this.#wake();
  }

  #add(change: CallChange, onOutcome: ((outcome: CommitOutcome) => void) | null): void {
    let line = this.#lines.get(change.callId);
    const isNew = line === undefined;
    line ??= { waiting: null, onOutcome: [] };
    line.waiting = line.waiting === null ? change : mergeChanges(line.waiting, change);
    if (onOutcome !== null) line.onOutcome.push(onOutcome);
    if (!isNew) return;
    this.#lines.set(change.callId, line);
    void this.#run(change.callId, line);
  }

  async #run(callId: string, line: Line): Promise<void> {
    for (let change = line.waiting; change !== null; change = line.waiting) {
      line.waiting = null;
      const told = line.onOutcome.splice(0);
      const outcome = await this.#commit(change);
      for (const tell of told) tell(outcome);
    }
    this.#lines.delete(callId);
    if (this.#lines.size > 0) return;
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  async #commit(change: CallChange): Promise<CommitOutcome> {
    while (!this.#isAbandoned) {
      try {
        const outcome = await this.#options.store.calls.commit(change);
        this.#up();
        return outcome;
      } catch (error) {
        if (!isRingbackError(error, "STORE_UNAVAILABLE")) return this.#lose(error);
        this.#down(error.details.reason);
        await new Promise<void>((resolve) => this.#waking.add(resolve));
      }
    }
    this.#lost += 1;
    return "written";
  }

  async #finishAll(): Promise<void> {
    // What comes in the same turn goes with it.
    await Promise.resolve();
    while (this.#finished.length > 0 && !this.#isAbandoned) {
      const ids = this.#finished.slice(0, MAX_FINISHED);
      try {
        await this.#options.store.journal.finish(ids);
        this.#finished.splice(0, ids.length);
        this.#up();
      } catch (error) {
        if (!isRingbackError(error, "STORE_UNAVAILABLE")) {
          this.#finished.splice(0, ids.length);
          this.#lose(error);
        } else {
          this.#down(error.details.reason);
          await new Promise<void>((resolve) => this.#waking.add(resolve));
        }
      }
    }
  }

  #lose(error: unknown): CommitOutcome {
    this.#lost += 1;
    this.#options.logger.error({ err: error }, "a change of a call could not be recorded");
    return "written";
  }

  #down(reason: string): void {
    this.#options.onUnavailable(reason);
    if (!this.#isDown) {
      this.#isDown = true;
      const nextStep = NEXT_STEPS[reason] ?? "See docs/operations.md; it is tried again until it works.";
      this.#options.logger.error({ reason, nextStep }, "the store cannot be written; calls go on");
    }
    if (this.#timer !== null || this.#isAbandoned) return;
    this.#timer = this.#options.timers.setTimer(this.#retryMs, () => this.#wake());
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }

  #up(): void {
    this.#retryMs = FIRST_RETRY_MS;
    if (!this.#isDown) return;
    this.#isDown = false;
    this.#options.logger.info({ calls: this.#lines.size }, "the store can be written again");
    this.#wake();
  }

  #wake(): void {
    if (this.#timer !== null) this.#options.timers.clearTimer(this.#timer);
    this.#timer = null;
    const waking = [...this.#waking];
    this.#waking.clear();
    for (const wake of waking) wake();
  }
}

const NEXT_STEPS: Readonly<Record<string, string>> = {
  "disk-full": "Make room on the disk of DATA_DIR; it is tried again until it works.",
  "read-only": "Make DATA_DIR writable for this user; it is tried again until it works.",
  connection: "Bring PostgreSQL (DATABASE_URL) back; it is tried again until it works.",
  corrupt: "Stop Ringback, move the database file away or bring a backup back, and start again.",
};
