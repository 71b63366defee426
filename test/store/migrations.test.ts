import { sql } from "kysely";
import { expect, test } from "vitest";
import { migrate } from "../../src/store/migrate.ts";
import { MIGRATIONS } from "../../src/store/migrations/all.ts";
import type { Migration } from "../../src/store/migrations/migration.ts";
import { openDatabase } from "../../src/store/open.ts";
import { describeStores, storeDeps } from "./rig.ts";

/** Rows as each version has them; a new version adds its own. */
const ROWS: Readonly<Record<number, string>> = {
  1: `insert into calls (id, call_key, phone_number_id, direction, state, node, created_at, tags, seq)
      values ('call_1', 'key', '1001', 'inbound', 'ringing', 'node-1', 5, '{}', 0)`,
  2: `insert into calls (id, call_key, phone_number_id, direction, state, node, created_at, tags, seq, owed)
      values ('call_1', 'key', '1001', 'inbound', 'ended', 'node-1', 5, '{}', 0, 'reject')`,
};

const next: Migration = {
  version: MIGRATIONS.length + 1,
  statements: ({ text }) => [`alter table calls add column region ${text}`, "update calls set region = 'eu'"],
};

describeStores("migrations", (rig) => {
  test("they count from 1 without a gap", () => {
    expect(MIGRATIONS.map(({ version }) => version)).toEqual(MIGRATIONS.map((_, index) => index + 1));
  });

  for (let version = 0; version <= MIGRATIONS.length; version++) {
    test(`a database of version ${version} is brought to the newest, with what is in it`, async () => {
      const database = await rig.database();
      const { db, dialect } = await openDatabase({ ...database, node: null }, storeDeps());
      await migrate(db, dialect, MIGRATIONS.slice(0, version));
      const rows = ROWS[version];
      if (rows !== undefined) await sql.raw(rows).execute(db);
      await db.destroy();
      const store = await rig.open(database);
      const { items } = await store.calls.list({}, { limit: 10 });
      expect(items.map(({ id, createdAt }) => [id, createdAt])).toEqual(version === 0 ? [] : [["call_1", 5]]);
      await store.check();
    });
  }

  test("a later migration finds the rows of the one before, and is done once", async () => {
    const database = await rig.database();
    const store = await rig.open(database);
    await store.close();
    const { db, dialect } = await openDatabase({ ...database, node: null }, storeDeps());
    await sql.raw(ROWS[1] ?? "").execute(db);
    const all = [...MIGRATIONS, next];
    expect(await migrate(db, dialect, all)).toBe(MIGRATIONS.length);
    expect(await migrate(db, dialect, all)).toBe(all.length);
    const { rows } = await sql<{ region: string }>`select region from calls`.execute(db);
    expect(rows.map(({ region }) => region)).toEqual(["eu"]);
    await db.destroy();
    await expect(rig.open(database)).rejects.toMatchObject({
      code: "STORE_UNUSABLE",
      details: { reason: "newer-schema" },
    });
  });

  test("a migration that fails changes nothing", async () => {
    const { db, dialect } = await openDatabase({ ...(await rig.database()), node: null }, storeDeps());
    await migrate(db, dialect);
    const broken: Migration = {
      version: next.version,
      statements: (types) => [...next.statements(types), "insert into nowhere values (1)"],
    };
    await expect(migrate(db, dialect, [...MIGRATIONS, broken])).rejects.toThrow();
    await expect(sql`select region from calls`.execute(db)).rejects.toThrow();
    expect(await migrate(db, dialect, [...MIGRATIONS, next])).toBe(MIGRATIONS.length);
    await db.destroy();
  });

  test("several processes that start at once migrate once", async () => {
    const database = await rig.database();
    const stores = await Promise.all([
      rig.open(database),
      rig.open(database, null),
      rig.open(database, null),
    ]);
    for (const store of stores) await store.check();
    const keys = await Promise.all(stores.map((store) => store.instanceKey()));
    expect(keys[1]).toEqual(keys[0]);
    expect(keys[2]).toEqual(keys[0]);
  });
});
