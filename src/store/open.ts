import { Database } from "./database.ts";
import { toStoreError } from "./errors.ts";
import { dropOrphanedClaims } from "./idempotency.ts";
import { makeInstanceKey } from "./instance.ts";
import { migrate } from "./migrate.ts";
import type { OpenDatabase } from "./open-database.ts";
import { openSqlite } from "./open-sqlite.ts";
import { createStore } from "./store.ts";
import type { StoreDeps } from "./store-deps.ts";
import type { Store, StoreOptions } from "./types.ts";

/**
 * Opens the store, and brings its schema to the newest version.
 *
 * @throws STORE_UNUSABLE; STORE_UNAVAILABLE when the database fails while it is made ready.
 */
export async function openStore(options: StoreOptions, deps: StoreDeps): Promise<Store> {
  const opened = await openDatabase(options, deps);
  try {
    await migrate(opened.db, opened.dialect);
    const database = new Database(opened, deps);
    await makeInstanceKey(database, deps.random);
    if (options.node !== null) await dropOrphanedClaims(database, options.node);
    return createStore({ database, ...opened, node: options.node }, deps);
  } catch (error) {
    await opened.db.destroy();
    await Promise.all([opened.owner?.release(), opened.deliverer?.release()]);
    throw toStoreError(error);
  }
}

/** With the schema as it is found. */
export async function openDatabase(options: StoreOptions, deps: StoreDeps): Promise<OpenDatabase> {
  const { url, file, node } = options;
  if (url === undefined) return openSqlite(file ?? ":memory:", node !== null, deps.timers);
  // Its client takes a tenth of a second to load, which a start with a file need not wait for.
  const { openPostgres } = await import("./open-postgres.ts");
  return openPostgres(url, node, deps);
}
