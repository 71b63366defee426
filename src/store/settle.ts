import type { Insertable, Selectable } from "kysely";
import { chunks, groupBy } from "./batches.ts";
import type { DeliveryTable, Tx } from "./schema.ts";
import type { DeliveryResult } from "./types.ts";

type Row = Selectable<DeliveryTable>;

/**
 * All in a few statements, however many they are.
 * The transaction holds the lock of events: a commit would not see that the queue it adds to is empty by now.
 */
export async function settleAll(
  tx: Tx,
  results: readonly DeliveryResult[],
  now: number,
): Promise<readonly undefined[]> {
  // Of two for one delivery the later one holds.
  const byId = new Map(results.map((result) => [result.id, result]));
  for (const part of chunks([...byId.keys()])) {
    const rows = await tx.selectFrom("deliveries").selectAll().where("id", "in", part).execute();
    // Those that are missing were removed with their endpoint meanwhile.
    const settled = rows.map((row) => settledRow(row, byId.get(row.id), now));
    if (settled.length > 0) await writeRows(tx, settled);
    await markHeads(tx, rows);
  }
  return results.map(() => undefined);
}

function settledRow(row: Row, result: DeliveryResult | undefined, now: number): Row {
  if (result === undefined) return row;
  const isSettled = result.state !== "pending";
  return {
    ...row,
    state: result.state,
    attempts: result.attempts,
    next_at: Math.round(result.nextAt),
    delivered_at: result.deliveredAt === null ? null : Math.round(result.deliveredAt),
    last_status: result.lastStatus,
    last_error: result.lastError,
    settled_at: isSettled ? now : null,
    head: isSettled ? 0 : row.head,
  };
}

/** They are there: the insertion is an update of many rows to different values, which both databases take. */
async function writeRows(tx: Tx, rows: readonly Insertable<DeliveryTable>[]): Promise<void> {
  await tx
    .insertInto("deliveries")
    .values([...rows])
    .onConflict((conflict) =>
      conflict.column("id").doUpdateSet((set) => ({
        state: set.ref("excluded.state"),
        attempts: set.ref("excluded.attempts"),
        next_at: set.ref("excluded.next_at"),
        delivered_at: set.ref("excluded.delivered_at"),
        last_status: set.ref("excluded.last_status"),
        last_error: set.ref("excluded.last_error"),
        settled_at: set.ref("excluded.settled_at"),
        head: set.ref("excluded.head"),
      })),
    )
    .execute();
}

/** Of each queue (an endpoint's events of a call) the first that waits, and no other, may be sent. */
export async function markHeads(
  tx: Tx,
  queues: readonly Pick<Row, "endpoint_id" | "call_id">[],
): Promise<void> {
  for (const [endpointId, ofEndpoint] of groupBy(queues, (queue) => queue.endpoint_id)) {
    // What belongs to no call waits for nothing.
    const calls = new Set(ofEndpoint.map((queue) => queue.call_id).filter((id) => id !== null));
    for (const part of chunks([...calls])) await markHeadsOf(tx, endpointId, part);
  }
}

async function markHeadsOf(tx: Tx, endpointId: string, callIds: readonly string[]): Promise<void> {
  const first = await tx
    .selectFrom("deliveries as one")
    .select(["one.id", "one.head"])
    .where("one.endpoint_id", "=", endpointId)
    .where("one.call_id", "in", callIds)
    .where("one.state", "=", "pending")
    // Not as `not exists`, which PostgreSQL turns into a join with all that waits.
    .where("one.seq", "=", (where) =>
      where
        .selectFrom("deliveries as waiting")
        .select((select) => select.fn.min("waiting.seq").as("seq"))
        .whereRef("waiting.endpoint_id", "=", "one.endpoint_id")
        .whereRef("waiting.call_id", "=", "one.call_id")
        .where("waiting.state", "=", "pending"),
    )
    .execute();
  const risen = first.filter(({ head }) => head === 0).map(({ id }) => id);
  if (risen.length === 0) return;
  await tx
    .updateTable("deliveries")
    .set({ head: 0 })
    .where("endpoint_id", "=", endpointId)
    .where("call_id", "in", callIds)
    .where("state", "=", "pending")
    .where("head", "=", 1)
    .where(
      "id",
      "not in",
      first.map(({ id }) => id),
    )
    .execute();
  await tx.updateTable("deliveries").set({ head: 1 }).where("id", "in", risen).execute();
}
