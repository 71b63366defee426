import type { Insertable, Selectable, Updateable } from "kysely";
import type { EventType } from "../core/events/event-types.ts";
import type { Database } from "./database.ts";
import type { EndpointTable, Queries, Tx } from "./schema.ts";
import type { WebhookEndpoint, WebhookEndpoints } from "./types.ts";

type Change = Partial<Omit<WebhookEndpoint, "id" | "createdAt">>;

export function createEndpoints(database: Database): WebhookEndpoints {
  return {
    create: async (endpoint) => {
      await database.write((tx) => tx.insertInto("endpoints").values(fromEndpoint(endpoint)).execute());
    },
    get: (id) => database.read((db) => readEndpoint(db, id)),
    list: () => database.read(listEndpoints),
    update: (id, change) => database.write((tx) => updateEndpoint(tx, id, change)),
    remove: (id) =>
      database.write(async (tx) => {
        await database.dialect.lock(tx, "events");
        return await removeEndpoint(tx, id);
      }),
  };
}

export function toEndpoint(row: Selectable<EndpointTable>): WebhookEndpoint {
  return {
    id: row.id,
    url: row.url,
    types: row.types === null ? null : (JSON.parse(row.types) as readonly EventType[]),
    phoneNumberId: row.phone_number_id,
    secrets: JSON.parse(row.secrets) as WebhookEndpoint["secrets"],
    state: row.state as WebhookEndpoint["state"],
    disabledReason: row.disabled_reason,
    description: row.description,
    createdAt: row.created_at,
  };
}

function fromEndpoint(endpoint: WebhookEndpoint): Insertable<EndpointTable> {
  return {
    id: endpoint.id,
    url: endpoint.url,
    types: endpoint.types === null ? null : JSON.stringify(endpoint.types),
    phone_number_id: endpoint.phoneNumberId,
    secrets: JSON.stringify(endpoint.secrets),
    state: endpoint.state,
    disabled_reason: endpoint.disabledReason,
    description: endpoint.description,
    created_at: endpoint.createdAt,
  };
}

function fromChange(change: Change): Updateable<EndpointTable> {
  const row: Updateable<EndpointTable> = {};
  if (change.url !== undefined) row.url = change.url;
  if (change.types !== undefined) row.types = change.types === null ? null : JSON.stringify(change.types);
  if (change.phoneNumberId !== undefined) row.phone_number_id = change.phoneNumberId;
  if (change.secrets !== undefined) row.secrets = JSON.stringify(change.secrets);
  if (change.state !== undefined) row.state = change.state;
  if (change.disabledReason !== undefined) row.disabled_reason = change.disabledReason;
  if (change.description !== undefined) row.description = change.description;
  return row;
}

async function readEndpoint(db: Queries, id: string): Promise<WebhookEndpoint | null> {
  const row = await db.selectFrom("endpoints").selectAll().where("id", "=", id).executeTakeFirst();
  return row === undefined ? null : toEndpoint(row);
}

async function listEndpoints(db: Queries): Promise<readonly WebhookEndpoint[]> {
  const rows = await db.selectFrom("endpoints").selectAll().orderBy("id").execute();
  return rows.map(toEndpoint);
}

async function updateEndpoint(tx: Tx, id: string, change: Change): Promise<WebhookEndpoint | null> {
  const row = fromChange(change);
  if (Object.keys(row).length > 0) {
    await tx.updateTable("endpoints").set(row).where("id", "=", id).execute();
  }
  return await readEndpoint(tx, id);
}

/** Its tests go with it: they were for it alone. */
async function removeEndpoint(tx: Tx, id: string): Promise<boolean> {
  const tests = await tx
    .deleteFrom("deliveries")
    .where("endpoint_id", "=", id)
    .where("call_id", "is", null)
    .returning("event_position")
    .execute();
  await tx.deleteFrom("deliveries").where("endpoint_id", "=", id).execute();
  for (const { event_position } of tests) {
    await tx.deleteFrom("events").where("position", "=", event_position).execute();
  }
  const removed = await tx.deleteFrom("endpoints").where("id", "=", id).returning("id").execute();
  return removed.length > 0;
}
