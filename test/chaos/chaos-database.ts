import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "libsql";
import pg from "pg";
import type { GatewayOptions } from "../../src/index.ts";
import type { StoreOptions } from "../../src/store/index.ts";
import { startPostgres } from "../support/postgres.ts";

export type Backend = "sqlite" | "postgres";

/** The database of a run, as the gateway has it and as who judges it looks at it: past the gateway's own store. */
export interface ChaosDatabase {
  readonly backend: Backend;
  /** Logs of the run; the database file, too, where it is one. */
  readonly folder: string;
  readonly gatewayStore: NonNullable<GatewayOptions["store"]>;
  readonly storeOptions: StoreOptions;
  query<Row>(sql: string): Promise<readonly Row[]>;
  /** Takes it away while something is done. PostgreSQL only. */
  interrupt(meanwhile: () => Promise<void>): Promise<void>;
  dispose(keepsFolder: boolean): Promise<void>;
}

export async function openChaosDatabase(backend: Backend): Promise<ChaosDatabase> {
  const folder = await mkdtemp(join(tmpdir(), "ringback-chaos-"));
  return backend === "sqlite" ? sqlite(folder) : await postgres(folder);
}

function sqlite(folder: string): ChaosDatabase {
  const file = join(folder, "ringback.db");
  return {
    backend: "sqlite",
    folder,
    gatewayStore: { folder },
    storeOptions: { file, node: null },
    query: async <Row>(sql: string) => {
      const db = new Database(file, { timeout: 5_000 });
      try {
        return db.prepare(sql).all() as Row[];
      } finally {
        db.close();
      }
    },
    interrupt: () => Promise.reject(new Error("a file cannot be taken away")),
    dispose: (keepsFolder) => removeFolder(folder, keepsFolder),
  };
}

async function postgres(folder: string): Promise<ChaosDatabase> {
  const server = await startPostgres();
  if (server === null) throw new Error("PostgreSQL is not installed (Debian: postgresql)");
  const { url } = server;
  return {
    backend: "postgres",
    folder,
    gatewayStore: { url },
    storeOptions: { url, node: null },
    query: async <Row>(sql: string) => {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      try {
        return (await client.query(sql)).rows as Row[];
      } finally {
        await client.end();
      }
    },
    interrupt: async (meanwhile) => {
      await server.kill();
      await meanwhile();
      await server.restart();
    },
    dispose: async (keepsFolder) => {
      await server.stop();
      await removeFolder(folder, keepsFolder);
    },
  };
}

async function removeFolder(folder: string, keepsFolder: boolean): Promise<void> {
  if (!keepsFolder) await rm(folder, { recursive: true, force: true });
}
