import { RingbackError } from "../errors.ts";
import { makePrivateFile } from "../platform/private-file.ts";
import type { OpenLibsql } from "./libsql.ts";
import type { Owner } from "./open-database.ts";

/**
 * Makes this process the one that answers calls with a file. It is a lock of the system's on a file beside it, by SQLite's own means,
 * which is gone with the process, however that ends.
 *
 * @throws STORE_UNUSABLE `in-use`.
 */
export async function ownSqliteFile(open: OpenLibsql, file: string): Promise<Owner> {
  const path = `${file}.owner`;
  await makePrivateFile(path);
  const connection = open(path);
  try {
    connection.exec("begin exclusive");
  } catch (cause) {
    connection.close();
    throw new RingbackError(
      "STORE_UNUSABLE",
      "another process answers calls with this store: end it, or give this one a store of its own (DATA_DIR)",
      { details: { reason: "in-use" }, cause },
    );
  }
  let isHeld = true;
  return {
    get isHeld() {
      return isHeld;
    },
    release: async () => {
      if (isHeld) connection.close();
      isHeld = false;
    },
  };
}
