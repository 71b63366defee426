import { Kysely } from "kysely";
import { type ErrorDetails, RingbackError } from "../errors.ts";
import { makePrivateFile } from "../platform/private-file.ts";
import type { Timers } from "../platform/timers.ts";
import { sqliteDialect } from "./dialect.ts";
import { reasonOf } from "./errors.ts";
import { loadLibsql, type OpenLibsql } from "./libsql.ts";
import type { OpenDatabase, Owner } from "./open-database.ts";
import type { Schema } from "./schema.ts";
import { type LibsqlConnection, SqliteConnection } from "./sqlite-connection.ts";
import { ImmediateSqliteDialect } from "./sqlite-dialect.ts";
import { ownSqliteFile } from "./sqlite-owner.ts";

const IN_MEMORY = ":memory:";

/** Each commit is on the disk when it returns; what is deleted is overwritten. */
const SETTINGS = [
  "busy_timeout = 2000",
  "journal_mode = wal",
  "synchronous = full",
  "foreign_keys = on",
  "secure_delete = on",
  // Pages: at 4 KiB each the log is brought into the file at 16 MiB.
  "wal_autocheckpoint = 4000",
  "temp_store = memory",
] as const;

/** Larger files are not read through at the start, which has to be quick: what is damaged in them shows when it is read. */
const MAX_CHECKED_PAGES = 8_192;

const ALONE: Owner = { isHeld: true, release: async () => {} };

/** @throws STORE_UNUSABLE */
export async function openSqlite(file: string, isOwner: boolean, timers: Timers): Promise<OpenDatabase> {
  const open = await loadLibsql();
  const inMemory = file === IN_MEMORY;
  if (!inMemory) await makeFile(file);
  const owner = isOwner && !inMemory ? await ownSqliteFile(open, file) : null;
  try {
    const connection = new SqliteConnection(openFile(open, file));
    // Whoever has the file delivers; what is in memory is nobody else's.
    const deliverer = inMemory && isOwner ? ALONE : owner;
    return { db: kyselyOf(connection, timers), dialect: sqliteDialect, owner, deliverer };
  } catch (error) {
    await owner?.release();
    throw error;
  }
}

function kyselyOf(connection: SqliteConnection, timers: Timers): Kysely<Schema> {
  return new Kysely<Schema>({ dialect: new ImmediateSqliteDialect(connection, timers) });
}

async function makeFile(file: string): Promise<void> {
  try {
    await makePrivateFile(file);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : "UNKNOWN";
    const reason = code === "EACCES" || code === "EPERM" || code === "EROFS" ? "permission" : "folder";
    throw unusable(
      reason,
      `the store cannot be made at ${file} (${String(code)}): name a folder that this user may write (DATA_DIR)`,
      cause,
    );
  }
}

function openFile(open: OpenLibsql, file: string): LibsqlConnection {
  try {
    const connection = open(file);
    prepare(connection);
    return connection;
  } catch (cause) {
    throw openFailure(file, cause);
  }
}

function prepare(connection: LibsqlConnection): void {
  try {
    for (const setting of SETTINGS) connection.pragma(setting);
    checkPages(connection);
    // From here on a lock is waited for without stopping the thread.
    connection.pragma("busy_timeout = 0");
  } catch (error) {
    connection.close();
    throw error;
  }
}

function checkPages(connection: LibsqlConnection): void {
  if (pagesOf(connection) > MAX_CHECKED_PAGES) return;
  const [finding] = connection.pragma("quick_check(1)") as { readonly quick_check: string }[];
  if (finding?.quick_check !== "ok") throw new DamagedFile();
}

function pagesOf(connection: LibsqlConnection): number {
  const [row] = connection.pragma("page_count") as { readonly page_count: number }[];
  return row?.page_count ?? 0;
}

class DamagedFile extends Error {}

function openFailure(file: string, cause: unknown): RingbackError<"STORE_UNUSABLE"> {
  const reason = cause instanceof DamagedFile ? "corrupt" : reasonOf(cause);
  if (reason === "corrupt") {
    return unusable(
      "corrupt",
      `the store ${file} is damaged: move it away together with its -wal and -shm files and start with an empty one, or bring back a backup; what can be read of it is had by sqlite3's .recover`,
      cause,
    );
  }
  if (reason === "read-only") {
    return unusable(
      "permission",
      `the store ${file} may not be written: check its owner, its permissions and its mount`,
      cause,
    );
  }
  if (reason === "busy") {
    return unusable("in-use", `the store ${file} is locked by another program: end it`, cause);
  }
  return unusable("folder", `the store ${file} cannot be opened: check the disk and the folder`, cause);
}

function unusable(
  reason: ErrorDetails["STORE_UNUSABLE"]["reason"],
  message: string,
  cause: unknown,
): RingbackError<"STORE_UNUSABLE"> {
  return new RingbackError("STORE_UNUSABLE", message, { details: { reason }, cause });
}
