import { createId } from "../../../core/events/id.ts";
import type { Clock } from "../../../platform/clock.ts";
import type { Random } from "../../../platform/random.ts";
import type { ApiKeyRecord, Store } from "../../../store/types.ts";
import { createSecret, formatToken, hashSecret } from "../auth/api-token.ts";
import type { Scope } from "../scopes.ts";

export interface KeyAdminDeps {
  readonly store: Pick<Store, "apiKeys" | "audit">;
  readonly clock: Clock;
  readonly random: Random;
}

export interface NewKey {
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Null: all numbers. */
  readonly phoneNumberId: string | null;
  /** In ms since the Unix epoch; null: never. */
  readonly expiresAt: number | null;
}

/**
 * Makes a key. The token is told here, and never again: its secret is stored as a hash.
 * @param actor Who makes it: `cli`, or the id of a key.
 */
export async function createKey(
  { store, clock, random }: KeyAdminDeps,
  { name, scopes, phoneNumberId, expiresAt }: NewKey,
  actor: string,
): Promise<{ readonly key: ApiKeyRecord; readonly token: string }> {
  const at = Math.round(clock.wallMs());
  const secret = createSecret(random);
  const key: ApiKeyRecord = {
    id: createId("key", at, random),
    name,
    secretHash: hashSecret(secret),
    scopes: [...new Set(scopes)],
    phoneNumberId,
    createdAt: at,
    expiresAt,
    lastUsedAt: null,
    revokedAt: null,
  };
  await store.apiKeys.create(key);
  const detail = { scopes: [...key.scopes], phone_number_id: phoneNumberId, expires_at: expiresAt };
  await store.audit.add({ at, actor, action: "key.created", target: key.id, detail });
  return { key, token: formatToken(key.id, secret) };
}

/** False when there is no such key, or it is revoked. */
export async function revokeKey({ store, clock }: KeyAdminDeps, id: string, actor: string): Promise<boolean> {
  const at = Math.round(clock.wallMs());
  const isRevoked = await store.apiKeys.revoke(id, at);
  if (isRevoked) await store.audit.add({ at, actor, action: "key.revoked", target: id, detail: {} });
  return isRevoked;
}

export type KeyState = "active" | "expired" | "revoked";

export function keyState({ revokedAt, expiresAt }: ApiKeyRecord, wallMs: number): KeyState {
  if (revokedAt !== null) return "revoked";
  return expiresAt !== null && expiresAt <= wallMs ? "expired" : "active";
}
