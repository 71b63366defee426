import type { PostgresPool, PostgresPoolClient } from "kysely";
import pg from "pg";
import type { Logger } from "../logger.ts";
import { reasonOf } from "./errors.ts";

const MAX_CONNECTIONS = 10;
const CONNECT_TIMEOUT_MS = 5_000;
/** The server ends a statement that takes longer; this side gives up a little later, when not even that is heard of. */
const STATEMENT_TIMEOUT_MS = 10_000;
const QUERY_TIMEOUT_MS = 12_000;
const IDLE_TRANSACTION_TIMEOUT_MS = 15_000;

/** PostgreSQL's `bigint` and the sum of counts, as numbers: none of ours passes 2^53. */
const INT8_OID = 20;

function getTypeParser(oid: number, format?: "text" | "binary"): (value: string) => unknown {
  if (oid === INT8_OID) return Number;
  return pg.types.getTypeParser(oid, format ?? "text") as (value: string) => unknown;
}

export function connectionOptions(url: string): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: "ringback",
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    types: { getTypeParser: getTypeParser as typeof pg.types.getTypeParser },
  };
}

/** A pool whose connections are thrown away after a failure that left them in an unknown state. */
export function createPool(url: string, logger: Logger): PostgresPool {
  const pool = new pg.Pool({
    ...connectionOptions(url),
    max: MAX_CONNECTIONS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_TRANSACTION_TIMEOUT_MS,
  });
  // An error that nobody listens for ends the process; what was under way on the connection is told of by its query.
  pool.on("connect", (client) => client.on("error", () => {}));
  pool.on("error", (error) =>
    logger.warn({ error }, "a connection to PostgreSQL was lost; the next query makes a new one"),
  );
  return {
    connect: async () => new PooledClient(await pool.connect()),
    end: () => pool.end(),
  };
}

class PooledClient implements PostgresPoolClient {
  readonly #client: pg.PoolClient;
  #broken: Error | null = null;

  constructor(client: pg.PoolClient) {
    this.#client = client;
  }

  // biome-ignore lint/suspicious/noExplicitAny: Kysely's type has overloads of which this one alone is called
  query: any = async (sql: string, parameters: readonly unknown[]): Promise<unknown> => {
    // A rollback on it would wait behind the query that was never answered.
    if (this.#broken !== null) throw this.#broken;
    try {
      return await this.#client.query(sql, [...parameters]);
    } catch (error) {
      if (error instanceof Error && reasonOf(error) === "connection") this.#broken = error;
      throw error;
    }
  };

  release(): void {
    this.#client.release(this.#broken ?? undefined);
  }
}
