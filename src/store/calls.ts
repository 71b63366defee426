import { toCall } from "./call-rows.ts";
import { commitChanges } from "./commit.ts";
import type { Database } from "./database.ts";
import type { EnqueueDeps } from "./enqueue.ts";
import type { Queries } from "./schema.ts";
import type { CallChange, CallFilter, CallRecord, CallRecords, Page } from "./types.ts";

export function createCallRecords(database: Database, deps: EnqueueDeps): CallRecords {
  const commit = database.grouped(async (tx, changes: readonly CallChange[]) => {
    await database.dialect.lock(tx, "events");
    return await commitChanges(tx, changes, deps);
  });
  return {
    commit: async (change) => {
      const outcome = await commit(change);
      if (outcome === "written" && change.events !== undefined && change.events.length > 0)
        database.announce();
      return outcome;
    },
    get: (id) => database.read((db) => readCall(db, "id", id)),
    byKey: (callKey) => database.read((db) => readCall(db, "call_key", callKey)),
    list: (filter, page) => database.read((db) => listCalls(db, filter, page)),
    live: (node, limit) => database.read((db) => liveCalls(db, node, limit)),
    owing: (node, limit) => database.read((db) => owingCalls(db, node, limit)),
  };
}

async function readCall(db: Queries, column: "id" | "call_key", value: string): Promise<CallRecord | null> {
  const row = await db.selectFrom("calls").selectAll().where(column, "=", value).executeTakeFirst();
  return row === undefined ? null : toCall(row);
}

async function listCalls(
  db: Queries,
  filter: CallFilter,
  page: { readonly after?: string; readonly limit: number },
): Promise<Page<CallRecord>> {
  let query = db
    .selectFrom("calls")
    .selectAll()
    .orderBy("id", "desc")
    .limit(page.limit + 1);
  if (page.after !== undefined) query = query.where("id", "<", page.after);
  if (filter.phoneNumberId !== undefined) query = query.where("phone_number_id", "=", filter.phoneNumberId);
  if (filter.state !== undefined) query = query.where("state", "=", filter.state);
  if (filter.direction !== undefined) query = query.where("direction", "=", filter.direction);
  if (filter.endReason !== undefined) query = query.where("end_reason", "=", filter.endReason);
  if (filter.number !== undefined) query = query.where("party_number", "=", filter.number);
  if (filter.createdFrom !== undefined) query = query.where("created_at", ">=", filter.createdFrom);
  if (filter.createdBefore !== undefined) query = query.where("created_at", "<", filter.createdBefore);
  const rows = await query.execute();
  const items = rows.slice(0, page.limit).map(toCall);
  return { items, next: rows.length > page.limit ? (items.at(-1)?.id ?? null) : null };
}

async function liveCalls(db: Queries, node: string, limit: number): Promise<readonly CallRecord[]> {
  const rows = await db
    .selectFrom("calls")
    .selectAll()
    .where("node", "=", node)
    .where("state", "<>", "ended")
    .orderBy("id")
    .limit(limit)
    .execute();
  return rows.map(toCall);
}

async function owingCalls(db: Queries, node: string, limit: number): Promise<readonly CallRecord[]> {
  const rows = await db
    .selectFrom("calls")
    .selectAll()
    .where("node", "=", node)
    .where("owed", "is not", null)
    .where("state", "=", "ended")
    .orderBy("id")
    .limit(limit)
    .execute();
  return rows.map(toCall);
}
