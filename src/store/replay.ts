import type { Database } from "./database.ts";
import type { Tx } from "./schema.ts";
import { markHeads } from "./settle.ts";
import type { Outbox } from "./types.ts";

/** In one transaction, so that those that write beside it do not wait long. */
const MAX_AT_ONCE = 500;

type ReplayFilter = Parameters<Outbox["replay"]>[0];

/** Those that become dead again meanwhile are not replayed twice: it goes from the oldest to the newest. */
export async function replayDeliveries(
  database: Database,
  filter: ReplayFilter,
  at: number,
): Promise<number> {
  let count = 0;
  for (let after = ""; ; ) {
    const ids = await database.write(async (tx) => {
      await database.dialect.lock(tx, "events");
      return await replaySome(tx, filter, Math.round(at), after);
    });
    count += ids.length;
    const last = ids.at(-1);
    if (last === undefined || ids.length < MAX_AT_ONCE) return count;
    after = last;
  }
}

async function replaySome(
  tx: Tx,
  filter: ReplayFilter,
  at: number,
  after: string,
): Promise<readonly string[]> {
  let query = tx
    .selectFrom("deliveries")
    .select(["id", "call_id"])
    .where("endpoint_id", "=", filter.endpointId)
    .where("id", ">", after)
    .orderBy("id")
    .limit(MAX_AT_ONCE);
  query =
    filter.deliveryId === undefined
      ? query.where("state", "=", "dead")
      : query.where("id", "=", filter.deliveryId);
  const rows = await query.execute();
  const ids = rows.map(({ id }) => id);
  if (ids.length === 0) return ids;
  await makePending(tx, ids, at);
  await markHeads(
    tx,
    rows.map((row) => ({ endpoint_id: filter.endpointId, call_id: row.call_id })),
  );
  return ids;
}

/** Its tries count from the beginning again. */
async function makePending(tx: Tx, ids: readonly string[], at: number): Promise<void> {
  await tx
    .updateTable("deliveries")
    .set({ state: "pending", attempts: 0, next_at: at, first_at: at, delivered_at: null, settled_at: null })
    .where("id", "in", ids)
    .execute();
  // Those of no call wait for nothing.
  await tx
    .updateTable("deliveries")
    .set({ head: 1 })
    .where("id", "in", ids)
    .where("call_id", "is", null)
    .execute();
}
