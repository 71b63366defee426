import type { Random } from "../platform/random.ts";
import type { Database } from "./database.ts";
import type { Tx } from "./schema.ts";

const KEY = "instance_key";
const KEY_BYTES = 32;

/** Made once with the database, by whoever comes first. */
export async function makeInstanceKey(database: Database, random: Random): Promise<void> {
  const known = await database.read((db) =>
    db.selectFrom("meta").select("key").where("key", "=", KEY).executeTakeFirst(),
  );
  if (known !== undefined) return;
  const value = Buffer.from(random(KEY_BYTES)).toString("hex");
  await database.write((tx) =>
    tx
      .insertInto("meta")
      .values({ key: KEY, value })
      .onConflict((conflict) => conflict.column("key").doNothing())
      .execute(),
  );
}

export async function readInstanceKey(database: Database): Promise<Uint8Array> {
  const row = await database.read((db) =>
    db.selectFrom("meta").select("value").where("key", "=", KEY).executeTakeFirstOrThrow(),
  );
  return new Uint8Array(Buffer.from(row.value, "hex"));
}

/** Shows that it can be written and read. */
export async function writeProbe(database: Database, wallMs: number): Promise<void> {
  const value = String(Math.round(wallMs));
  await database.write((tx) => touchMeta(tx, value));
}

async function touchMeta(tx: Tx, value: string): Promise<void> {
  await tx
    .insertInto("meta")
    .values({ key: "checked_at", value })
    .onConflict((conflict) => conflict.column("key").doUpdateSet({ value }))
    .execute();
  await tx.selectFrom("meta").select("value").where("key", "=", "checked_at").executeTakeFirstOrThrow();
}
