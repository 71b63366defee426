import type { Insertable, Selectable } from "kysely";
import { createId } from "../core/events/id.ts";
import type { Clock } from "../platform/clock.ts";
import type { Random } from "../platform/random.ts";
import { chunks } from "./batches.ts";
import { toEndpoint } from "./endpoints.ts";
import type { DeliveryTable, EventTable, Tx } from "./schema.ts";
import type { WebhookEndpoint } from "./types.ts";

export interface EnqueueDeps {
  readonly clock: Clock;
  readonly random: Random;
}

type EventRow = Selectable<EventTable>;
type DeliveryRow = Insertable<DeliveryTable>;

/** Puts each event into the outbox, once for each enabled endpoint that asked for it. The transaction holds the lock of events. */
export async function enqueueDeliveries(
  tx: Tx,
  events: readonly EventRow[],
  deps: EnqueueDeps,
): Promise<void> {
  if (events.length === 0) return;
  const endpoints = await enabledEndpoints(tx);
  const wanted = events.flatMap((event) =>
    endpoints.filter((endpoint) => takes(endpoint, event)).map(({ id }) => deliveryRow(event, id, deps)),
  );
  if (wanted.length === 0) return;
  // Those of one millisecond sort by chance, and so would a list of them.
  const ids = wanted.map(({ id }) => id).sort();
  for (const [index, row] of wanted.entries()) row.id = ids[index] ?? row.id;
  await markHeads(tx, wanted);
  for (const part of chunks(wanted)) {
    await tx
      .insertInto("deliveries")
      .values([...part])
      .execute();
  }
}

async function enabledEndpoints(tx: Tx): Promise<readonly WebhookEndpoint[]> {
  const rows = await tx.selectFrom("endpoints").selectAll().where("state", "=", "enabled").execute();
  return rows.map(toEndpoint);
}

function takes(endpoint: WebhookEndpoint, event: EventRow): boolean {
  const { types, phoneNumberId } = endpoint;
  if (phoneNumberId !== null && phoneNumberId !== event.phone_number_id) return false;
  return types === null || types.some((type) => type === event.type);
}

export function deliveryRow(
  event: EventRow,
  endpointId: string,
  { clock, random }: EnqueueDeps,
): DeliveryRow {
  const now = Math.round(clock.wallMs());
  return {
    id: createId("dlv", now, random),
    endpoint_id: endpointId,
    event_position: event.position,
    event_id: event.id,
    call_id: event.call_id,
    seq: event.seq,
    state: "pending",
    head: 1,
    attempts: 0,
    next_at: now,
    first_at: now,
  };
}

/** Only the first of those that wait for an endpoint, of each call, may be sent. */
async function markHeads(tx: Tx, rows: readonly DeliveryRow[]): Promise<void> {
  const calls = [...new Set(rows.map((row) => row.call_id))].filter((id) => id !== null && id !== undefined);
  const queues = await tx
    .selectFrom("deliveries")
    .select(["endpoint_id", "call_id"])
    .where("state", "=", "pending")
    .where("endpoint_id", "in", [...new Set(rows.map((row) => row.endpoint_id))])
    .where("call_id", "in", calls)
    .where("head", "=", 1)
    .execute();
  const taken = new Set(queues.map((queue) => `${queue.endpoint_id} ${queue.call_id}`));
  for (const row of rows) {
    const queue = `${row.endpoint_id} ${row.call_id}`;
    row.head = taken.has(queue) ? 0 : 1;
    taken.add(queue);
  }
}
