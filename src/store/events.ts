import type { Selectable } from "kysely";
import type { EventType, JsonObject } from "../core/events/event-types.ts";
import type { Database } from "./database.ts";
import type { EventTable, Queries, Tx } from "./schema.ts";
import type { EventFilter, EventLog, StoredEvent } from "./types.ts";

/** Position of the newest event that was deleted for its age. */
const FLOOR = "events_floor";

export function createEventLog(database: Database): EventLog {
  return {
    read: (filter, page) => database.read((db) => readEvents(db, filter, page)),
    byId: (id) => database.read((db) => readEvent(db, id)),
    head: () => database.read(readHead),
    tail: () => database.read(readFloor),
    onCommit: (listener) => database.onCommit(listener),
  };
}

export function toStoredEvent(
  row: Pick<
    Selectable<EventTable>,
    "position" | "id" | "type" | "at" | "call_id" | "phone_number_id" | "seq" | "data" | "personal"
  >,
): StoredEvent {
  const data = JSON.parse(row.data) as JsonObject;
  const personal = row.personal === null ? {} : (JSON.parse(row.personal) as JsonObject);
  return {
    position: row.position,
    id: row.id,
    type: row.type as EventType,
    at: row.at,
    callId: row.call_id,
    phoneNumberId: row.phone_number_id,
    seq: row.seq,
    data: { ...data, ...personal },
  };
}

async function readEvents(
  db: Queries,
  filter: EventFilter,
  page: { readonly after: number; readonly limit: number },
): Promise<readonly StoredEvent[]> {
  if (filter.types !== undefined && filter.types.length === 0) return [];
  let query = db
    .selectFrom("events")
    .selectAll()
    .where("position", ">", page.after)
    // Those of no call are for one endpoint alone.
    .where("call_id", "is not", null)
    .orderBy("position")
    .limit(page.limit);
  if (filter.callId !== undefined) query = query.where("call_id", "=", filter.callId);
  if (filter.phoneNumberId !== undefined) query = query.where("phone_number_id", "=", filter.phoneNumberId);
  if (filter.types !== undefined) query = query.where("type", "in", filter.types);
  return (await query.execute()).map(toStoredEvent);
}

async function readEvent(db: Queries, id: string): Promise<StoredEvent | null> {
  const row = await db.selectFrom("events").selectAll().where("id", "=", id).executeTakeFirst();
  return row === undefined ? null : toStoredEvent(row);
}

async function readHead(db: Queries): Promise<number> {
  const row = await db
    .selectFrom("events")
    .select("position")
    .orderBy("position", "desc")
    .limit(1)
    .executeTakeFirst();
  return row?.position ?? (await readFloor(db));
}

async function readFloor(db: Queries): Promise<number> {
  const row = await db.selectFrom("meta").select("value").where("key", "=", FLOOR).executeTakeFirst();
  return Number(row?.value ?? 0);
}

export async function raiseFloor(tx: Tx, position: number): Promise<void> {
  if (position <= (await readFloor(tx))) return;
  const value = String(position);
  await tx
    .insertInto("meta")
    .values({ key: FLOOR, value })
    .onConflict((conflict) => conflict.column("key").doUpdateSet({ value }))
    .execute();
}
