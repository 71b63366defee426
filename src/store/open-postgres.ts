import { Kysely, PostgresDialect, sql } from "kysely";
import { RingbackError } from "../errors.ts";
import { postgresDialect } from "./dialect.ts";
import type { OpenDatabase } from "./open-database.ts";
import { awaitDelivery, ownNode } from "./postgres-owner.ts";
import { createPool } from "./postgres-pool.ts";
import type { Schema } from "./schema.ts";
import type { StoreDeps } from "./store-deps.ts";

/** @throws STORE_UNUSABLE */
export async function openPostgres(url: string, node: string | null, deps: StoreDeps): Promise<OpenDatabase> {
  assertUrl(url);
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: createPool(url, deps.logger) }) });
  try {
    await sql`select 1`.execute(db);
    const owner = node === null ? null : await ownNode(url, node, deps);
    return {
      db,
      dialect: postgresDialect,
      owner,
      deliverer: owner === null ? null : awaitDelivery(url, deps),
    };
  } catch (cause) {
    await db.destroy();
    throw cause instanceof RingbackError ? cause : openFailure(cause);
  }
}

function assertUrl(url: string): void {
  const scheme = URL.canParse(url) ? new URL(url).protocol : "";
  if (scheme === "postgres:" || scheme === "postgresql:") return;
  throw new RingbackError("OPTION_INVALID", "url must be postgres://user:password@host:5432/database", {
    details: { option: "url" },
  });
}

/** Without the server's own text, which may name the user. */
function openFailure(cause: unknown): RingbackError<"STORE_UNUSABLE"> {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "no answer";
  const refused = code.startsWith("28") || code === "42501";
  return refused
    ? new RingbackError(
        "STORE_UNUSABLE",
        `PostgreSQL does not let this user in (${code}): check user, password and database of DATABASE_URL`,
        { details: { reason: "permission" }, cause },
      )
    : new RingbackError(
        "STORE_UNUSABLE",
        `PostgreSQL cannot be used (${code}): check that it runs and that host, port and database of DATABASE_URL are right`,
        { details: { reason: "connection" }, cause },
      );
}
