import type { ColumnTypes } from "../dialect.ts";

/** Brings a database from the version before to this one. Never changed once it was released: the next change is the next migration. */
export interface Migration {
  /** Counts from 1 without a gap. */
  readonly version: number;
  /** Run in one transaction, in this order. */
  readonly statements: (types: ColumnTypes) => readonly string[];
}
