import type { Logger } from "../logger.ts";
import type { Timers } from "../platform/timers.ts";
import type { StoreDialect } from "./dialect.ts";
import { isTransient, storeUnavailable, toStoreError } from "./errors.ts";
import { GroupCommit } from "./group-commit.ts";
import type { OpenDatabase } from "./open-database.ts";
import type { Queries, Tx } from "./schema.ts";
import type { StoreDeps } from "./store-deps.ts";

/** Of each kind of write; at 500 a second it is a wait of 20 s. */
const MAX_WAITING = 10_000;
const MAX_BATCH = 64;
/** How often a transaction is tried that another one was in the way of. */
const MAX_TRIES = 4;

/** Writes several inputs within a transaction; a result for each, in their order. */
export type BatchWriter<T, R> = (tx: Tx, inputs: readonly T[]) => Promise<readonly R[]>;

interface Job {
  readonly writer: BatchWriter<unknown, unknown>;
  readonly input: unknown;
}

/** Reads and transactions, with the database's errors told as STORE_UNAVAILABLE where it is the database that fails. */
export class Database {
  readonly dialect: StoreDialect;
  readonly #db: Queries;
  readonly #logger: Logger;
  readonly #timers: Timers;
  readonly #groups: GroupCommit<Job, unknown>[] = [];
  readonly #listeners = new Set<() => void>();
  #closed = false;
  readonly #open = new Set<Promise<unknown>>();

  constructor({ db, dialect }: OpenDatabase, { logger, timers }: StoreDeps) {
    this.#db = db;
    this.dialect = dialect;
    this.#logger = logger;
    this.#timers = timers;
  }

  read<R>(work: (db: Queries) => Promise<R>): Promise<R> {
    return this.#guard(() => work(this.#db));
  }

  /** One transaction. `work` may run more than once. */
  write<R>(work: (tx: Tx) => Promise<R>): Promise<R> {
    return this.#guard(() => this.#transaction(work));
  }

  /** Makes a write of which several share a transaction. Where there is one writer alone, those of all kinds do. */
  grouped<T, R>(writer: BatchWriter<T, R>): (input: T) => Promise<R> {
    const group = this.#group();
    const erased = writer as BatchWriter<unknown, unknown>;
    return (input) => {
      if (this.#closed) return Promise.reject(storeUnavailable("closed"));
      return group.submit({ writer: erased, input }) as Promise<R>;
    };
  }

  /** Takes what was deleted out of what the database keeps beside its tables. */
  async scrub(): Promise<void> {
    await this.#guard(() => this.dialect.scrub(this.#db, this.#timers));
  }

  /** Lets others have their turn. */
  pause(): Promise<void> {
    return new Promise((resolve) => this.#timers.setTimer(0, resolve));
  }

  onCommit(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  announce(): void {
    for (const listener of this.#listeners) {
      try {
        listener();
      } catch (error) {
        this.#logger.error({ error }, "what listens to the store's commits failed");
      }
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    // Refuses what is new, and lets what waits be written.
    this.#closed = true;
    for (const group of this.#groups) await group.settled();
    await Promise.allSettled([...this.#open]);
    await this.#db.destroy();
  }

  #group(): GroupCommit<Job, unknown> {
    const shared = this.dialect.singleWriter ? this.#groups[0] : undefined;
    if (shared !== undefined) return shared;
    const group = new GroupCommit<Job, unknown>({
      maxBatch: MAX_BATCH,
      maxWaiting: MAX_WAITING,
      write: (jobs) => this.#writeJobs(jobs),
    });
    this.#groups.push(group);
    return group;
  }

  async #writeJobs(jobs: readonly Job[]): Promise<readonly unknown[]> {
    try {
      return await this.#transaction((tx) => runJobs(tx, jobs));
    } catch (error) {
      throw toStoreError(error);
    }
  }

  async #transaction<R>(work: (tx: Tx) => Promise<R>): Promise<R> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#db.transaction().execute(work);
      } catch (error) {
        if (!isTransient(error) || tries === MAX_TRIES) throw error;
      }
    }
  }

  async #guard<R>(work: () => Promise<R>): Promise<R> {
    if (this.#closed) throw storeUnavailable("closed");
    const running = work();
    this.#open.add(running);
    try {
      return await running;
    } catch (error) {
      throw toStoreError(error);
    } finally {
      this.#open.delete(running);
    }
  }
}

async function runJobs(tx: Tx, jobs: readonly Job[]): Promise<readonly unknown[]> {
  const results = new Array<unknown>(jobs.length);
  for (const writer of new Set(jobs.map((job) => job.writer))) {
    const places = [...jobs.keys()].filter((index) => jobs[index]?.writer === writer);
    const written = await writer(
      tx,
      places.map((index) => jobs[index]?.input),
    );
    for (const [at, place] of places.entries()) results[place] = written[at];
  }
  return results;
}
