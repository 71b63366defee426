import type { Database } from "./database.ts";
import type { Tx } from "./schema.ts";
import type { IdempotencyKeys, IdempotentResponse } from "./types.ts";

type Claim = Parameters<IdempotencyKeys["claim"]>[0];

export function createIdempotencyKeys(database: Database, node: string | null): IdempotencyKeys {
  return {
    claim: (claim) => database.write((tx) => claimKey(tx, claim, node)),
    complete: async (keyId, idempotencyKey, { status, body }) => {
      await database.write((tx) =>
        tx
          .updateTable("idempotency_keys")
          .set({ status, body })
          .where("key_id", "=", keyId)
          .where("idempotency_key", "=", idempotencyKey)
          .execute(),
      );
    },
    release: async (keyId, idempotencyKey) => {
      await database.write((tx) =>
        tx
          .deleteFrom("idempotency_keys")
          .where("key_id", "=", keyId)
          .where("idempotency_key", "=", idempotencyKey)
          .where("status", "is", null)
          .execute(),
      );
    },
  };
}

async function claimKey(
  tx: Tx,
  claim: Claim,
  node: string | null,
): Promise<"claimed" | "busy" | "conflict" | IdempotentResponse> {
  await dropExpired(tx, claim);
  const claimed = await tx
    .insertInto("idempotency_keys")
    .values({
      key_id: claim.keyId,
      idempotency_key: claim.idempotencyKey,
      request_hash: claim.requestHash,
      node,
      claimed_at: Math.round(claim.at),
      expires_at: Math.round(claim.expiresAt),
    })
    .onConflict((conflict) => conflict.columns(["key_id", "idempotency_key"]).doNothing())
    .returning("key_id")
    .execute();
  return claimed.length > 0 ? "claimed" : await whatIsThere(tx, claim);
}

async function dropExpired(tx: Tx, claim: Claim): Promise<void> {
  await tx
    .deleteFrom("idempotency_keys")
    .where("key_id", "=", claim.keyId)
    .where("idempotency_key", "=", claim.idempotencyKey)
    .where("expires_at", "<=", claim.at)
    .execute();
}

async function whatIsThere(tx: Tx, claim: Claim): Promise<"busy" | "conflict" | IdempotentResponse> {
  const row = await tx
    .selectFrom("idempotency_keys")
    .select(["request_hash", "status", "body"])
    .where("key_id", "=", claim.keyId)
    .where("idempotency_key", "=", claim.idempotencyKey)
    .executeTakeFirst();
  // Released between the two statements: the client may try again.
  if (row === undefined) return "busy";
  if (row.request_hash !== claim.requestHash) return "conflict";
  return row.status === null ? "busy" : { status: row.status, body: row.body ?? "" };
}

/** Claims that this node's process held when it ended: nobody is at them any more. */
export async function dropOrphanedClaims(database: Database, node: string): Promise<void> {
  await database.write(async (tx) => {
    let query = tx.deleteFrom("idempotency_keys").where("status", "is", null);
    if (!database.dialect.singleWriter) query = query.where("node", "=", node);
    await query.execute();
  });
}
