import type { JsonObject } from "../core/events/event-types.ts";
import type { Database } from "./database.ts";
import type { Queries, Tx } from "./schema.ts";
import type { AuditEntry, AuditLog, Page } from "./types.ts";

export function createAuditLog(database: Database): AuditLog {
  return {
    add: (entry) => database.write((tx) => addAudit(tx, entry)),
    list: (page) => database.read((db) => listAudit(db, page)),
  };
}

export async function addAudit(tx: Tx, entry: Omit<AuditEntry, "id">): Promise<void> {
  await tx
    .insertInto("audit")
    .values({
      at: Math.round(entry.at),
      actor: entry.actor,
      action: entry.action,
      target: entry.target,
      detail: JSON.stringify(entry.detail),
    })
    .execute();
}

async function listAudit(
  db: Queries,
  page: { readonly after?: number; readonly limit: number },
): Promise<Page<AuditEntry>> {
  let query = db
    .selectFrom("audit")
    .selectAll()
    .orderBy("id", "desc")
    .limit(page.limit + 1);
  if (page.after !== undefined) query = query.where("id", "<", page.after);
  const rows = await query.execute();
  const items = rows
    .slice(0, page.limit)
    .map((row) => ({ ...row, detail: JSON.parse(row.detail) as JsonObject }));
  return { items, next: rows.length > page.limit ? (items.at(-1)?.id ?? null) : null };
}
