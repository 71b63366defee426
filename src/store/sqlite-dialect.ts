import { CompiledQuery, type DatabaseConnection, type Driver, SqliteDialect, SqliteDriver } from "kysely";
import type { Timers } from "../platform/timers.ts";
import { reasonOf } from "./errors.ts";
import type { SqliteConnection } from "./sqlite-connection.ts";

/** How long a lock of another process is waited for, and how often it is asked for meanwhile. */
const BUSY_MS = 3_000;
const BUSY_POLL_MS = 5;

/** Transactions that take the file's lock at their start: one that takes it at its first write is refused when another wrote meanwhile. */
export class ImmediateSqliteDialect extends SqliteDialect {
  readonly #connection: SqliteConnection;
  readonly #timers: Timers;

  constructor(connection: SqliteConnection, timers: Timers) {
    super({ database: connection });
    this.#connection = connection;
    this.#timers = timers;
  }

  override createDriver(): Driver {
    return new ImmediateSqliteDriver(this.#connection, this.#timers);
  }
}

class ImmediateSqliteDriver extends SqliteDriver {
  readonly #connection: SqliteConnection;
  readonly #timers: Timers;

  constructor(connection: SqliteConnection, timers: Timers) {
    super({ database: connection });
    this.#connection = connection;
    this.#timers = timers;
  }

  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    // Not by SQLite's own `busy_timeout`, which stops the whole thread meanwhile.
    for (let waitedMs = 0; ; waitedMs += BUSY_POLL_MS) {
      try {
        await connection.executeQuery(CompiledQuery.raw("begin immediate"));
        return;
      } catch (error) {
        if (reasonOf(error) !== "busy" || waitedMs >= BUSY_MS) throw error;
      }
      await new Promise<void>((resolve) => this.#timers.setTimer(BUSY_POLL_MS, resolve));
    }
  }

  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    // After some failures, such as a full disk, SQLite has rolled back by itself (sqlite.org/lang_transaction.html).
    if (this.#connection.inTransaction) await connection.executeQuery(CompiledQuery.raw("rollback"));
  }
}
