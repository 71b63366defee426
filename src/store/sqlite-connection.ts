import type { SqliteDatabase, SqliteStatement } from "kysely";
import type LibsqlDatabase from "libsql";

/** Statements that are kept prepared; those of batches are many, as each length is one of its own. */
const MAX_PREPARED = 200;

export type LibsqlConnection = LibsqlDatabase.Database;

/** libsql's connection as Kysely takes it, with its statements kept: preparing one costs more than running it. */
export class SqliteConnection implements SqliteDatabase {
  readonly #connection: LibsqlConnection;
  readonly #prepared = new Map<string, SqliteStatement>();

  constructor(connection: LibsqlConnection) {
    this.#connection = connection;
  }

  get inTransaction(): boolean {
    return this.#connection.inTransaction;
  }

  prepare(sql: string): SqliteStatement {
    const known = this.#prepared.get(sql);
    if (known !== undefined) {
      this.#prepared.delete(sql);
      this.#prepared.set(sql, known);
      return known;
    }
    const statement = this.#connection.prepare(sql) as unknown as SqliteStatement;
    this.#prepared.set(sql, statement);
    if (this.#prepared.size > MAX_PREPARED) this.#forgetOldest();
    return statement;
  }

  close(): void {
    this.#prepared.clear();
    try {
      // Closing does it as well, but not while a prepared statement waits to be collected.
      this.#connection.pragma("wal_checkpoint(truncate)");
    } catch {
      // What is in the log is read from there next time.
    }
    this.#connection.close();
  }

  #forgetOldest(): void {
    for (const oldest of this.#prepared.keys()) {
      this.#prepared.delete(oldest);
      return;
    }
  }
}
