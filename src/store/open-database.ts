import type { StoreDialect } from "./dialect.ts";
import type { Queries } from "./schema.ts";

/** What makes this process the one that answers calls with a database. */
export interface Owner {
  release(): Promise<void>;
}

/** A database that was opened, before its schema is looked at. */
export interface OpenDatabase {
  readonly db: Queries;
  readonly dialect: StoreDialect;
  readonly owner: Owner | null;
}
