import { first } from "./0001-first.ts";
import { owed } from "./0002-owed.ts";
import type { Migration } from "./migration.ts";

/** Oldest first. */
export const MIGRATIONS: readonly Migration[] = [first, owed];
