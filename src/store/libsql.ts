import { RingbackError } from "../errors.ts";
import type { LibsqlConnection } from "./sqlite-connection.ts";

export type OpenLibsql = (path: string) => LibsqlConnection;

/**
 * Loads libsql's binary, which a system of another kind has none of.
 *
 * @throws STORE_UNUSABLE `driver`.
 */
export async function loadLibsql(): Promise<OpenLibsql> {
  try {
    const { default: Connection } = await import("libsql");
    return (path) => new Connection(path);
  } catch (cause) {
    throw new RingbackError(
      "STORE_UNUSABLE",
      "SQLite cannot be loaded: there is no binary of libsql for this system, or it was left out of the installation (npm's --omit=optional). Install it, or set DATABASE_URL to a PostgreSQL",
      { details: { reason: "driver" }, cause },
    );
  }
}
