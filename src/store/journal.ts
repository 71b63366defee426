import type { Insertable, Selectable } from "kysely";
import { chunks, groupBy } from "./batches.ts";
import type { Database } from "./database.ts";
import type { JournalTable, Queries, Tx } from "./schema.ts";
import type { JournalEntry, NewWebhook, UnfinishedEntry, WebhookJournal } from "./types.ts";

const COLUMNS = ["id", "webhook_id", "call_key", "event", "position", "received_at", "dedup_key"] as const;

type EntryRow = Pick<Selectable<JournalTable>, (typeof COLUMNS)[number]>;

/** `node`: whose entries are told as unfinished, where several nodes share a database; null: all. */
export function createJournal(database: Database, node: string | null): WebhookJournal {
  const append = database.grouped((tx, webhooks: readonly NewWebhook[]) => appendAll(tx, webhooks, node));
  const finish = database.grouped(async (tx, inputs: readonly (readonly number[])[]) => {
    // An erasure at the same time would take them for unfinished, and this would not see that they are to be erased.
    await database.dialect.lock(tx, "events");
    return await finishAll(tx, inputs);
  });
  const mine = database.dialect.singleWriter ? null : node;
  return {
    append,
    finish: async (ids) => {
      if (ids.length > 0) await finish(ids);
    },
    unfinished: (limit) => database.read((db) => readUnfinished(db, mine, limit)),
    backlog: () => database.read((db) => readBacklog(db, mine)),
  };
}

async function appendAll(
  tx: Tx,
  webhooks: readonly NewWebhook[],
  node: string | null,
): Promise<readonly (readonly JournalEntry[])[]> {
  const fresh = await withoutKnown(tx, webhooks);
  const kept = fresh.filter(({ entries }) => entries.length > 0);
  if (kept.length === 0) return webhooks.map(() => []);
  const ids = await insertWebhooks(tx, kept, node);
  const rows = kept.flatMap((webhook, index) => entryRows(webhook, ids[index] ?? 0, node));
  const written = await insertEntries(tx, rows);
  await dropUnused(tx, ids, written);
  return inOrder(fresh, kept, ids, written);
}

/** Each webhook with those of its entries that are neither in the journal nor in a webhook before it. */
async function withoutKnown(tx: Tx, webhooks: readonly NewWebhook[]): Promise<readonly NewWebhook[]> {
  const keys = webhooks.flatMap(({ entries }) => entries.map(({ dedupKey }) => dedupKey));
  const known = new Set<string>();
  for (const part of chunks(keys)) {
    const rows = await tx.selectFrom("journal").select("dedup_key").where("dedup_key", "in", part).execute();
    for (const row of rows) known.add(row.dedup_key);
  }
  return webhooks.map((webhook) => ({
    ...webhook,
    entries: webhook.entries.filter(({ dedupKey }) => {
      const isNew = !known.has(dedupKey);
      known.add(dedupKey);
      return isNew;
    }),
  }));
}

/** Their ids, in their order: numbers are given out in the order of the rows, whatever order they are returned in. */
async function insertWebhooks(
  tx: Tx,
  webhooks: readonly NewWebhook[],
  node: string | null,
): Promise<readonly number[]> {
  const rows = await tx
    .insertInto("webhooks")
    .values(
      webhooks.map(({ receivedAt, body }) => ({ received_at: receivedAt, body, node, erase: 0 as const })),
    )
    .returning("id")
    .execute();
  return rows.map(({ id }) => id).sort((one, other) => one - other);
}

function entryRows(webhook: NewWebhook, webhookId: number, node: string | null): Insertable<JournalTable>[] {
  return webhook.entries.map((entry) => ({
    webhook_id: webhookId,
    dedup_key: entry.dedupKey,
    call_key: entry.callKey,
    event: entry.event,
    position: entry.position,
    subject: entry.subject,
    received_at: webhook.receivedAt,
    node,
    finished: 0,
  }));
}

async function insertEntries(
  tx: Tx,
  rows: readonly Insertable<JournalTable>[],
): Promise<readonly EntryRow[]> {
  const written: EntryRow[] = [];
  for (const part of chunks(rows)) {
    // Another process may have journalled the same meanwhile.
    const inserted = await tx
      .insertInto("journal")
      .values([...part])
      .onConflict((conflict) => conflict.column("dedup_key").doNothing())
      .returning(COLUMNS)
      .execute();
    written.push(...inserted);
  }
  return written.sort((one, other) => one.id - other.id);
}

async function dropUnused(tx: Tx, ids: readonly number[], written: readonly EntryRow[]): Promise<void> {
  const used = new Set(written.map((row) => row.webhook_id));
  const unused = ids.filter((id) => !used.has(id));
  if (unused.length > 0) await tx.deleteFrom("webhooks").where("id", "in", unused).execute();
}

function inOrder(
  webhooks: readonly NewWebhook[],
  kept: readonly NewWebhook[],
  ids: readonly number[],
  written: readonly EntryRow[],
): readonly (readonly JournalEntry[])[] {
  const byWebhook = groupBy(written, (row) => row.webhook_id);
  const idOf = new Map(kept.map((webhook, index) => [webhook, ids[index] ?? 0]));
  return webhooks.map((webhook) => (byWebhook.get(idOf.get(webhook) ?? 0) ?? []).map(toEntry));
}

function toEntry(row: EntryRow): JournalEntry {
  return {
    id: row.id,
    webhookId: row.webhook_id,
    callKey: row.call_key,
    event: row.event,
    position: row.position,
    receivedAt: row.received_at,
  };
}

async function readUnfinished(
  db: Queries,
  node: string | null,
  limit: number,
): Promise<readonly UnfinishedEntry[]> {
  let query = db
    .selectFrom("journal")
    .innerJoin("webhooks", "webhooks.id", "journal.webhook_id")
    .select(COLUMNS.map((column) => `journal.${column}` as const))
    .select("webhooks.body")
    .where("journal.finished", "=", 0)
    .orderBy("journal.id")
    .limit(limit);
  if (node !== null) query = query.where("journal.node", "=", node);
  const rows = await query.execute();
  return rows.map((row) => ({ ...toEntry(row), body: new Uint8Array(row.body ?? new ArrayBuffer(0)) }));
}

async function readBacklog(
  db: Queries,
  node: string | null,
): Promise<{ readonly count: number; readonly oldestReceivedAt: number | null }> {
  let query = db
    .selectFrom("journal")
    .select((select) => [
      select.fn.countAll<number>().as("count"),
      select.fn.min<number | null>("received_at").as("oldest"),
    ])
    .where("finished", "=", 0);
  if (node !== null) query = query.where("node", "=", node);
  const row = await query.executeTakeFirstOrThrow();
  return { count: row.count, oldestReceivedAt: row.oldest };
}

async function finishAll(tx: Tx, inputs: readonly (readonly number[])[]): Promise<readonly undefined[]> {
  await finishEntries(tx, inputs.flat());
  return inputs.map(() => undefined);
}

/** Marks them, and takes what is personal out of the webhooks that somebody erased is in and nothing is left to do of. */
export async function finishEntries(tx: Tx, ids: readonly number[]): Promise<void> {
  for (const part of chunks(ids)) {
    await tx.updateTable("journal").set({ finished: 1 }).where("id", "in", part).execute();
    const touched = await tx
      .selectFrom("journal")
      .innerJoin("webhooks", "webhooks.id", "journal.webhook_id")
      .leftJoin("calls", "calls.call_key", "journal.call_key")
      .select("webhooks.id")
      .where("journal.id", "in", part)
      .where((where) => where.or([where("webhooks.erase", "=", 1), where("calls.erased_at", "is not", null)]))
      .execute();
    await blankWebhooks(tx, [...new Set(touched.map(({ id }) => id))]);
  }
}

/** Those that have unfinished entries are left for later. */
export async function blankWebhooks(tx: Tx, ids: readonly number[]): Promise<void> {
  for (const part of chunks(ids)) {
    await tx.updateTable("webhooks").set({ erase: 1 }).where("id", "in", part).execute();
    const rows = await tx
      .selectFrom("webhooks")
      .select("id")
      .where("id", "in", part)
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
      .execute();
    const done = rows.map(({ id }) => id);
    if (done.length === 0) continue;
    await tx.updateTable("webhooks").set({ body: null }).where("id", "in", done).execute();
    await tx.updateTable("journal").set({ subject: null }).where("webhook_id", "in", done).execute();
  }
}
