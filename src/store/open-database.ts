import type { StoreDialect } from "./dialect.ts";
import type { Queries } from "./schema.ts";

/** What makes this process the one that answers calls with a database. */
export interface Owner {
  readonly isHeld: boolean;
  release(): Promise<void>;
}

/** A database that was opened, before its schema is looked at. */
export interface OpenDatabase {
  readonly db: Queries;
  readonly dialect: StoreDialect;
  readonly owner: Owner | null;
  /** What makes this process the one that delivers, of all that share the database. Null: it never is. */
  readonly deliverer: Owner | null;
}
