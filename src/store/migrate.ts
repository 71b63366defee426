import { sql } from "kysely";
import { RingbackError } from "../errors.ts";
import type { StoreDialect } from "./dialect.ts";
import { MIGRATIONS } from "./migrations/all.ts";
import type { Migration } from "./migrations/migration.ts";
import type { Queries, Tx } from "./schema.ts";

/**
 * Brings the database to the newest version, each step in a transaction of its own. Several processes may do it at the same time.
 *
 * @returns The version that it was at before.
 * @throws STORE_UNUSABLE `newer-schema`.
 */
export async function migrate(
  db: Queries,
  dialect: StoreDialect,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<number> {
  const before = await readVersion(db, dialect);
  assertNotNewer(before, migrations.length);
  for (const migration of migrations.slice(before)) {
    await db.transaction().execute((tx) => step(tx, dialect, migration));
  }
  return before;
}

async function step(tx: Tx, dialect: StoreDialect, migration: Migration): Promise<void> {
  await dialect.lock(tx, "migration");
  // Another process may have done it while this one waited.
  if ((await readVersion(tx, dialect)) >= migration.version) return;
  for (const statement of migration.statements(dialect.types)) await sql.raw(statement).execute(tx);
  const version = String(migration.version);
  await tx
    .insertInto("meta")
    .values({ key: "schema_version", value: version })
    .onConflict((conflict) => conflict.column("key").doUpdateSet({ value: version }))
    .execute();
}

/** 0: there is nothing yet. */
async function readVersion(db: Queries, dialect: StoreDialect): Promise<number> {
  if (!(await dialect.hasTable(db, "meta"))) return 0;
  const row = await db
    .selectFrom("meta")
    .select("value")
    .where("key", "=", "schema_version")
    .executeTakeFirst();
  return Number(row?.value ?? 0);
}

function assertNotNewer(version: number, newest: number): void {
  if (version <= newest) return;
  throw new RingbackError(
    "STORE_UNUSABLE",
    `the store was written by a newer Ringback (schema ${version}, this one knows ${newest}): run that version, or bring back the backup made before the upgrade`,
    { details: { reason: "newer-schema" } },
  );
}
