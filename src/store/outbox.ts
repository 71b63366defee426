import type { Selectable } from "kysely";
import type { Database } from "./database.ts";
import { deliveryRow, type EnqueueDeps } from "./enqueue.ts";
import { toStoredEvent } from "./events.ts";
import { replayDeliveries } from "./replay.ts";
import type { DeliveryTable, Queries, Tx } from "./schema.ts";
import { settleAll } from "./settle.ts";
import type {
  Delivery,
  DeliveryResult,
  DeliveryState,
  DueDelivery,
  NewEvent,
  Outbox,
  Page,
} from "./types.ts";

type DueOptions = Parameters<Outbox["due"]>[1];
type ListFilter = Parameters<Outbox["list"]>[0];

export function createOutbox(database: Database, deps: EnqueueDeps): Outbox {
  const locked = async (tx: Tx): Promise<void> => await database.dialect.lock(tx, "events");
  const settle = database.grouped(async (tx, results: readonly DeliveryResult[]) => {
    await locked(tx);
    return await settleAll(tx, results, Math.round(deps.clock.wallMs()));
  });
  return {
    due: (endpointId, options) => database.read((db) => readDue(db, endpointId, options)),
    nextAt: (endpointId) => database.read((db) => readNextAt(db, endpointId)),
    settle,
    enqueueTest: async (endpointId, event) => {
      const delivery = await database.write(async (tx) => {
        await locked(tx);
        return await enqueueTest(tx, endpointId, event, deps);
      });
      database.announce();
      return delivery;
    },
    list: (filter, page) => database.read((db) => listDeliveries(db, filter, page)),
    replay: async (filter, at) => {
      const count = await replayDeliveries(database, filter, at);
      if (count > 0) database.announce();
      return count;
    },
    counts: () => database.read(countDeliveries),
  };
}

function toDelivery(row: Selectable<DeliveryTable>): Delivery {
  return {
    id: row.id,
    endpointId: row.endpoint_id,
    eventId: row.event_id,
    callId: row.call_id,
    seq: row.seq,
    state: row.state as DeliveryState,
    attempts: row.attempts,
    nextAt: row.next_at,
    firstAt: row.first_at,
    deliveredAt: row.delivered_at,
    lastStatus: row.last_status,
    lastError: row.last_error,
  };
}

/** By the index `deliveries_due`: those behind the first of their call are not in it, however many wait. */
async function readDue(
  db: Queries,
  endpointId: string,
  options: DueOptions,
): Promise<readonly DueDelivery[]> {
  const { at, limit, exceptCallIds } = options;
  let query = db
    .selectFrom("deliveries")
    .selectAll()
    .where("endpoint_id", "=", endpointId)
    .where("state", "=", "pending")
    .where("head", "=", 1)
    .where("next_at", "<=", at)
    .orderBy("next_at")
    .orderBy("id")
    .limit(limit);
  if (exceptCallIds.length > 0) {
    query = query.where((where) =>
      where.or([where("call_id", "is", null), where("call_id", "not in", exceptCallIds)]),
    );
  }
  return await withEvents(db, await query.execute());
}

async function withEvents(
  db: Queries,
  rows: readonly Selectable<DeliveryTable>[],
): Promise<readonly DueDelivery[]> {
  if (rows.length === 0) return [];
  const positions = rows.map((row) => row.event_position);
  const found = await db.selectFrom("events").selectAll().where("position", "in", positions).execute();
  const events = new Map(found.map((row) => [row.position, toStoredEvent(row)]));
  return rows.flatMap((row) => {
    const event = events.get(row.event_position);
    return event === undefined ? [] : [{ ...toDelivery(row), event }];
  });
}

async function readNextAt(db: Queries, endpointId: string): Promise<number | null> {
  const row = await db
    .selectFrom("deliveries")
    .select("next_at")
    .where("endpoint_id", "=", endpointId)
    .where("state", "=", "pending")
    .where("head", "=", 1)
    .orderBy("next_at")
    .limit(1)
    .executeTakeFirst();
  return row?.next_at ?? null;
}

async function enqueueTest(
  tx: Tx,
  endpointId: string,
  event: NewEvent,
  deps: EnqueueDeps,
): Promise<Delivery> {
  const inserted = await tx
    .insertInto("events")
    .values({
      id: event.id,
      type: event.type,
      at: Math.round(event.at),
      seq: 0,
      data: JSON.stringify(event.data),
      personal: event.personal === null ? null : JSON.stringify(event.personal),
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  const row = await tx
    .insertInto("deliveries")
    .values(deliveryRow(inserted, endpointId, deps))
    .returningAll()
    .executeTakeFirstOrThrow();
  return toDelivery(row);
}

async function listDeliveries(
  db: Queries,
  filter: ListFilter,
  page: { readonly after?: string; readonly limit: number },
): Promise<Page<Delivery>> {
  let query = db
    .selectFrom("deliveries")
    .selectAll()
    .where("endpoint_id", "=", filter.endpointId)
    .orderBy("id", "desc")
    .limit(page.limit + 1);
  if (filter.state !== undefined) query = query.where("state", "=", filter.state);
  if (page.after !== undefined) query = query.where("id", "<", page.after);
  const rows = await query.execute();
  const items = rows.slice(0, page.limit).map(toDelivery);
  return { items, next: rows.length > page.limit ? (items.at(-1)?.id ?? null) : null };
}

async function countDeliveries(db: Queries): Promise<Readonly<Record<DeliveryState, number>>> {
  const rows = await db
    .selectFrom("deliveries")
    .select((select) => ["state", select.fn.countAll<number>().as("count")])
    .groupBy("state")
    .execute();
  const counts: Record<string, number> = Object.fromEntries(rows.map(({ state, count }) => [state, count]));
  return { pending: counts["pending"] ?? 0, delivered: counts["delivered"] ?? 0, dead: counts["dead"] ?? 0 };
}
