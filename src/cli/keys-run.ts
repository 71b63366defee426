import { createKey, keyState, revokeKey } from "../gateway/api/keys/key-admin.ts";
import { SCOPES, type Scope } from "../gateway/api/scopes.ts";
import { systemClock } from "../platform/clock.ts";
import { systemRandom } from "../platform/random.ts";
import { withAdminStore } from "./admin-store.ts";
import type { CliIo } from "./io.ts";
import { formatTable } from "./table.ts";

const ACTOR = "cli";

interface CreateOptions {
  readonly name: string;
  readonly scope: readonly (Scope | "all")[];
  readonly phoneNumberId?: string;
  /** In ms. */
  readonly expires?: number;
  readonly config?: string;
}

/** The key alone goes to standard output, so that a script can take it from there. */
export function createKeyBy(options: CreateOptions, io: CliIo): Promise<void> {
  const { name, scope, phoneNumberId = null, expires, config } = options;
  return withAdminStore(io, config, async (store) => {
    const scopes = SCOPES.filter((each) => scope.includes("all") || scope.includes(each));
    const expiresAt = expires === undefined ? null : Math.round(systemClock.wallMs() + expires);
    const deps = { store, clock: systemClock, random: systemRandom };
    const { key, token } = await createKey(deps, { name, scopes, phoneNumberId, expiresAt }, ACTOR);
    io.out(token);
    io.err(
      `${key.id} may ${scopes.join(", ")}. Keep the key now: it is shown this once, and stored as a hash.`,
    );
  });
}

export function listKeys(
  { json = false, config }: { readonly json?: boolean; readonly config?: string },
  io: CliIo,
): Promise<void> {
  return withAdminStore(io, config, async (store) => {
    const wallMs = systemClock.wallMs();
    const keys = (await store.apiKeys.list()).map((key) => ({
      id: key.id,
      name: key.name,
      state: keyState(key, wallMs),
      phone_number_id: key.phoneNumberId,
      scopes: key.scopes,
      created_at: iso(key.createdAt),
      expires_at: iso(key.expiresAt),
      last_used_at: iso(key.lastUsedAt),
    }));
    if (json) io.out(JSON.stringify(keys, null, 2));
    else if (keys.length === 0) io.out("There is no key. ringback keys create makes one.");
    else for (const line of formatTable(HEAD, keys.map(Object.values).map(toCells))) io.out(line);
  });
}

export function revokeKeyBy(id: string, { config }: { readonly config?: string }, io: CliIo): Promise<void> {
  return withAdminStore(io, config, async (store) => {
    const deps = { store, clock: systemClock, random: systemRandom };
    if (await revokeKey(deps, id, ACTOR)) {
      io.out(`${id} is revoked.`);
      return;
    }
    io.err("There is no such key, or it is revoked already: ringback keys list has them all.");
    io.setExitCode(1);
  });
}

const HEAD = ["ID", "NAME", "STATE", "NUMBER", "SCOPES", "CREATED", "EXPIRES", "LAST USED"];

function toCells(values: readonly (string | readonly string[] | null)[]): readonly string[] {
  return values.map((value) => (value === null ? "-" : [value].flat().join(" ")));
}

function iso(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString().replace(/\.\d{3}Z$/, "Z");
}
