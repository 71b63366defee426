import pg from "pg";
import { RingbackError } from "../errors.ts";
import { silentLogger } from "../logger.ts";
import type { TimerHandle } from "../platform/timers.ts";
import type { Owner } from "./open-database.ts";
import { connectionOptions } from "./postgres-pool.ts";
import type { StoreDeps } from "./store-deps.ts";

/** The server notices the end of a process that was killed a moment later. */
const WAIT_MS = 3_000;
const POLL_MS = 100;
/** Installations that share a database have schemas of their own. */
const LOCK =
  "select pg_try_advisory_lock(hashtextextended('ringback:' || $1::text || ':' || current_schema() || ':' || $2::text, 0)) as taken";
const FIRST_RETRY_MS = 250;
const MAX_RETRY_MS = 10_000;

/**
 * Makes this process the one that answers calls under a node's name: a lock that is held by a connection of its own, and so is gone
 * with the process. After the connection was lost the lock is taken again.
 *
 * @throws STORE_UNUSABLE `in-use`.
 */
export async function ownNode(url: string, node: string, deps: StoreDeps): Promise<Owner> {
  const owner = new PostgresOwner(url, ["node", node], deps);
  await owner.take();
  return owner;
}

/** Makes this process the one that delivers as soon as no other one is: at once, or when that one is gone. */
export function awaitDelivery(url: string, deps: StoreDeps): Owner {
  const owner = new PostgresOwner(url, ["role", "deliveries"], { ...deps, logger: silentLogger });
  owner.takeWhenFree();
  return owner;
}

class PostgresOwner implements Owner {
  readonly #url: string;
  readonly #lock: readonly [kind: string, name: string];
  readonly #deps: StoreDeps;
  #client: pg.Client | null = null;
  #retry: TimerHandle | null = null;
  #retryMs = FIRST_RETRY_MS;
  #released = false;

  constructor(url: string, lock: readonly [kind: string, name: string], deps: StoreDeps) {
    this.#url = url;
    this.#lock = lock;
    this.#deps = deps;
  }

  get isHeld(): boolean {
    return this.#client !== null;
  }

  takeWhenFree(): void {
    void this.#takeAgain();
  }

  async take(): Promise<void> {
    for (let waitedMs = 0; ; waitedMs += POLL_MS) {
      if (await this.#try()) return;
      if (waitedMs >= WAIT_MS) throw inUse();
      await new Promise<void>((resolve) => this.#deps.timers.setTimer(POLL_MS, resolve));
    }
  }

  async release(): Promise<void> {
    this.#released = true;
    if (this.#retry !== null) this.#deps.timers.clearTimer(this.#retry);
    const client = this.#client;
    this.#client = null;
    await client?.end().catch(() => {});
  }

  /** On a connection of its own: the lock belongs to the connection. */
  async #try(): Promise<boolean> {
    const client = new pg.Client(connectionOptions(this.#url));
    client.on("error", () => this.#lost(client));
    client.on("end", () => this.#lost(client));
    try {
      await client.connect();
      const { rows } = await client.query<{ readonly taken: boolean }>(LOCK, [...this.#lock]);
      if (rows[0]?.taken === true && !this.#released) {
        this.#client = client;
        return true;
      }
    } catch (error) {
      await client.end().catch(() => {});
      throw error;
    }
    await client.end().catch(() => {});
    return false;
  }

  #lost(client: pg.Client): void {
    if (this.#client !== client) return;
    this.#client = null;
    client.end().catch(() => {});
    this.#retryMs = FIRST_RETRY_MS;
    this.#deps.logger.warn(
      {},
      "the connection that holds this node's lock in PostgreSQL was lost; it is taken again",
    );
    this.#takeAgainLater();
  }

  #takeAgainLater(): void {
    if (this.#released) return;
    this.#retry = this.#deps.timers.setTimer(this.#retryMs, () => void this.#takeAgain());
    this.#retryMs = Math.min(this.#retryMs * 2, MAX_RETRY_MS);
  }

  async #takeAgain(): Promise<void> {
    try {
      if (await this.#try()) {
        this.#deps.logger.info({}, "this node's lock in PostgreSQL is held again");
        return;
      }
      this.#deps.logger.error(
        {},
        "another process holds this node's lock in PostgreSQL: end one of the two, or give them names of their own",
      );
    } catch {
      // It is not there yet; what waits to be written says so.
    }
    this.#takeAgainLater();
  }
}

function inUse(): RingbackError<"STORE_UNUSABLE"> {
  return new RingbackError(
    "STORE_UNUSABLE",
    "another process answers calls under this node's name: end it, or give this one a name of its own",
    { details: { reason: "in-use" } },
  );
}
