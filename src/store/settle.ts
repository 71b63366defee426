import type { Tx } from "./schema.ts";
import type { DeliveryResult } from "./types.ts";

/** Whose deliveries are sent one after the other. */
export interface DeliveryQueue {
  readonly endpointId: string;
  readonly callId: string;
}

/** The transaction holds the lock of events: a commit would not see that the queue it adds to is empty by now. */
export async function settleAll(
  tx: Tx,
  results: readonly DeliveryResult[],
  now: number,
): Promise<readonly undefined[]> {
  for (const result of results) {
    const queue = await settleOne(tx, result, now);
    if (queue !== null && result.state !== "pending") await markHead(tx, queue);
  }
  return results.map(() => undefined);
}

async function settleOne(tx: Tx, result: DeliveryResult, now: number): Promise<DeliveryQueue | null> {
  const isSettled = result.state !== "pending";
  const row = await tx
    .updateTable("deliveries")
    .set({
      state: result.state,
      attempts: result.attempts,
      next_at: Math.round(result.nextAt),
      delivered_at: result.deliveredAt === null ? null : Math.round(result.deliveredAt),
      last_status: result.lastStatus,
      last_error: result.lastError,
      settled_at: isSettled ? now : null,
      ...(isSettled ? { head: 0 as const } : {}),
    })
    .where("id", "=", result.id)
    .returning(["endpoint_id", "call_id"])
    .executeTakeFirst();
  // Its endpoint was removed meanwhile, or it belongs to no call and nothing waits behind it.
  if (row === undefined || row.call_id === null) return null;
  return { endpointId: row.endpoint_id, callId: row.call_id };
}

/** The first that waits of a queue, and no other, may be sent. */
export async function markHead(tx: Tx, { endpointId, callId }: DeliveryQueue): Promise<void> {
  const first = await tx
    .selectFrom("deliveries")
    .select(["id", "head"])
    .where("endpoint_id", "=", endpointId)
    .where("call_id", "=", callId)
    .where("state", "=", "pending")
    .orderBy("seq")
    .limit(1)
    .executeTakeFirst();
  if (first === undefined || first.head === 1) return;
  await tx
    .updateTable("deliveries")
    .set({ head: 0 })
    .where("endpoint_id", "=", endpointId)
    .where("call_id", "=", callId)
    .where("state", "=", "pending")
    .where("head", "=", 1)
    .execute();
  await tx.updateTable("deliveries").set({ head: 1 }).where("id", "=", first.id).execute();
}
