import { sql } from "kysely";
import type { Database } from "./database.ts";
import { raiseFloor } from "./events.ts";
import { toRecording } from "./recording-rows.ts";
import type { Queries, Tx } from "./schema.ts";
import type { Pruned, RecordingRecord, RetentionPolicy } from "./types.ts";

/** In one transaction: what comes meanwhile waits for no more than that. */
const MAX_ROWS = 1_000;
const MAX_CALLS = 100;
const MAX_RECORDINGS = 100;
/** WhatsApp delivers webhooks again for seven days: a key that is forgotten before lets a call happen twice. */
const MIN_WEBHOOKS_MS = 8 * 24 * 3_600_000;

/** Deletes at most so many rows of one kind, and returns how many. */
type Step = (tx: Tx, before: number) => Promise<number>;

export async function prune(database: Database, policy: RetentionPolicy, at: number): Promise<Pruned> {
  const before = (ms: number): number => Math.floor(at - ms);
  const webhooksMs = Math.max(policy.webhooksMs, MIN_WEBHOOKS_MS);
  return {
    webhooks: await repeat(database, pruneWebhooks, before(webhooksMs), MAX_ROWS),
    deliveries: await repeat(database, pruneDeliveries, before(policy.deliveriesMs), MAX_ROWS),
    events: await repeat(database, pruneEvents, before(policy.eventsMs), MAX_ROWS),
    calls: await repeat(database, pruneCalls, before(policy.callsMs), MAX_CALLS),
    idempotencyKeys: await repeat(database, pruneIdempotencyKeys, before(0), MAX_ROWS),
    audit: await repeat(database, pruneAudit, before(policy.auditMs), MAX_ROWS),
    recordings: await database.read((db) =>
      oldRecordings(db, before(policy.recordingsMs), before(policy.callsMs)),
    ),
  };
}

async function repeat(database: Database, step: Step, before: number, atOnce: number): Promise<number> {
  for (let total = 0; ; ) {
    const count = await database.write(async (tx) => {
      await database.dialect.lock(tx, "events");
      return await step(tx, before);
    });
    total += count;
    if (count < atOnce) return total;
    await database.pause();
  }
}

async function pruneWebhooks(tx: Tx, before: number): Promise<number> {
  const rows = await tx
    .selectFrom("webhooks")
    .select("id")
    .where("received_at", "<", before)
    .where((where) =>
      where.not(
        where.exists(
          where
            .selectFrom("journal")
            .select("journal.id")
            .whereRef("journal.webhook_id", "=", "webhooks.id")
            .where("journal.finished", "=", 0),
        ),
      ),
    )
    .orderBy("received_at")
    .limit(MAX_ROWS)
    .execute();
  const ids = rows.map(({ id }) => id);
  if (ids.length === 0) return 0;
  await tx.deleteFrom("journal").where("webhook_id", "in", ids).execute();
  await tx.deleteFrom("webhooks").where("id", "in", ids).execute();
  return ids.length;
}

async function pruneDeliveries(tx: Tx, before: number): Promise<number> {
  const rows = await tx
    .selectFrom("deliveries")
    .select("id")
    .where("settled_at", "<", before)
    .limit(MAX_ROWS)
    .execute();
  return await deleteByIds(
    tx,
    "deliveries",
    rows.map(({ id }) => id),
  );
}

/** With what was delivered of them; those that still wait to be delivered stay. */
async function pruneEvents(tx: Tx, before: number): Promise<number> {
  const rows = await tx
    .selectFrom("events")
    .select("position")
    .where("at", "<", before)
    .where((where) =>
      where.not(
        where.exists(
          where
            .selectFrom("deliveries")
            .select("deliveries.id")
            .whereRef("deliveries.event_position", "=", "events.position")
            .where("deliveries.state", "=", "pending"),
        ),
      ),
    )
    .orderBy("at")
    .limit(MAX_ROWS)
    .execute();
  return await deleteEvents(
    tx,
    rows.map(({ position }) => position),
  );
}

async function deleteEvents(tx: Tx, positions: readonly number[]): Promise<number> {
  if (positions.length === 0) return 0;
  await tx.deleteFrom("deliveries").where("event_position", "in", positions).execute();
  await tx.deleteFrom("events").where("position", "in", positions).execute();
  await raiseFloor(tx, Math.max(...positions));
  return positions.length;
}

/** Those whose recordings are deleted; with everything else that is theirs. */
async function pruneCalls(tx: Tx, before: number): Promise<number> {
  const rows = await tx
    .selectFrom("calls")
    .select("id")
    .where("ended_at", "<", before)
    .where("state", "=", "ended")
    .where((where) =>
      where.not(
        where.exists(
          where
            .selectFrom("recordings")
            .select("recordings.id")
            .whereRef("recordings.call_id", "=", "calls.id")
            .where("recordings.status", "<>", "deleted"),
        ),
      ),
    )
    .orderBy("ended_at")
    .limit(MAX_CALLS)
    .execute();
  const ids = rows.map(({ id }) => id);
  if (ids.length === 0) return 0;
  const events = await tx.selectFrom("events").select("position").where("call_id", "in", ids).execute();
  await deleteEvents(
    tx,
    events.map(({ position }) => position),
  );
  await tx.deleteFrom("commands").where("call_id", "in", ids).execute();
  await tx.deleteFrom("recordings").where("call_id", "in", ids).execute();
  return await deleteByIds(tx, "calls", ids);
}

async function deleteByIds(tx: Tx, table: "calls" | "deliveries", ids: readonly string[]): Promise<number> {
  if (ids.length > 0) await tx.deleteFrom(table).where("id", "in", ids).execute();
  return ids.length;
}

async function pruneIdempotencyKeys(tx: Tx, before: number): Promise<number> {
  const rows = await tx
    .selectFrom("idempotency_keys")
    .select(["key_id", "idempotency_key"])
    .where("expires_at", "<", before)
    .limit(MAX_ROWS)
    .execute();
  for (const row of rows) {
    await tx
      .deleteFrom("idempotency_keys")
      .where("key_id", "=", row.key_id)
      .where("idempotency_key", "=", row.idempotency_key)
      .execute();
  }
  return rows.length;
}

async function pruneAudit(tx: Tx, before: number): Promise<number> {
  const rows = await tx.selectFrom("audit").select("id").where("at", "<", before).limit(MAX_ROWS).execute();
  const ids = rows.map(({ id }) => id);
  if (ids.length > 0) await tx.deleteFrom("audit").where("id", "in", ids).execute();
  return ids.length;
}

/** Over their own time, or over that of their call, which they would keep. */
async function oldRecordings(
  db: Queries,
  before: number,
  callBefore: number,
): Promise<readonly RecordingRecord[]> {
  const rows = await db
    .selectFrom("recordings")
    .innerJoin("calls", "calls.id", "recordings.call_id")
    .selectAll("recordings")
    .where("recordings.status", "<>", "deleted")
    .where("calls.state", "=", "ended")
    .where((where) =>
      where.or([
        where(sql<number>`coalesce(recordings.ended_at, calls.ended_at)`, "<", before),
        where("calls.ended_at", "<", callBefore),
        // Whose files a crash, or a folder's rights, kept from being removed when the caller was erased.
        where("calls.erased_at", "is not", null),
      ]),
    )
    .orderBy("recordings.started_at")
    .limit(MAX_RECORDINGS)
    .execute();
  return rows.map(toRecording);
}
