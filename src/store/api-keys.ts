import type { Insertable, Selectable } from "kysely";
import type { Database } from "./database.ts";
import type { ApiKeyTable } from "./schema.ts";
import type { ApiKeyRecord, ApiKeys } from "./types.ts";

/** When a key was used is written no oftener: otherwise each request would be a write. */
const TOUCH_EVERY_MS = 60_000;

export function createApiKeys(database: Database): ApiKeys {
  const touched = new Map<string, number>();
  return {
    create: async (key) => {
      await database.write((tx) => tx.insertInto("api_keys").values(fromKey(key)).execute());
    },
    get: async (id) => {
      const row = await database.read((db) =>
        db.selectFrom("api_keys").selectAll().where("id", "=", id).executeTakeFirst(),
      );
      return row === undefined ? null : toKey(row);
    },
    list: async () => {
      const rows = await database.read((db) => db.selectFrom("api_keys").selectAll().orderBy("id").execute());
      return rows.map(toKey);
    },
    revoke: (id, at) =>
      database.write(async (tx) => {
        const revoked = await tx
          .updateTable("api_keys")
          .set({ revoked_at: Math.round(at) })
          .where("id", "=", id)
          .where("revoked_at", "is", null)
          .returning("id")
          .execute();
        return revoked.length > 0;
      }),
    touch: async (id, at) => {
      if (Math.abs(at - (touched.get(id) ?? Number.NEGATIVE_INFINITY)) < TOUCH_EVERY_MS) return;
      await database.write((tx) =>
        tx
          .updateTable("api_keys")
          .set({ last_used_at: Math.round(at) })
          .where("id", "=", id)
          .execute(),
      );
      touched.set(id, at);
    },
  };
}

function toKey(row: Selectable<ApiKeyTable>): ApiKeyRecord {
  return {
    id: row.id,
    name: row.name,
    secretHash: row.secret_hash,
    scopes: JSON.parse(row.scopes) as readonly string[],
    phoneNumberId: row.phone_number_id,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
    revokedAt: row.revoked_at,
  };
}

function fromKey(key: ApiKeyRecord): Insertable<ApiKeyTable> {
  return {
    id: key.id,
    name: key.name,
    secret_hash: key.secretHash,
    scopes: JSON.stringify(key.scopes),
    phone_number_id: key.phoneNumberId,
    created_at: key.createdAt,
    expires_at: key.expiresAt,
    last_used_at: key.lastUsedAt,
    revoked_at: key.revokedAt,
  };
}
