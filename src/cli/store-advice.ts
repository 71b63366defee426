import { isRingbackError } from "../errors.ts";

/** What to do about a store that cannot be opened, by its reason and by where it is. */
const ADVICE = {
  corrupt: {
    file: "Nothing was changed. Keep the file, and restore the last backup in DATA_DIR (docs/operations.md, Restore).",
    server: "Nothing was changed. Restore the last backup (docs/operations.md, Restore).",
  },
  "newer-schema": {
    file: "A newer Ringback has written it: install that version again, or restore the backup from before the upgrade.",
    server:
      "A newer Ringback has written it: install that version again, or restore the backup from before the upgrade.",
  },
  folder: {
    file: "Set DATA_DIR to a folder that this user may make and write.",
    server: "Set DATA_DIR to a folder that this user may make and write.",
  },
  connection: {
    file: "Check the disk that DATA_DIR is on.",
    server:
      'Check host, port, user and password in DATABASE_URL: psql "$DATABASE_URL" must get in from here.',
  },
  permission: {
    file: "This user must be able to write DATA_DIR and ringback.db in it: look at their owner and mode.",
    server: "The user of DATABASE_URL must own the database, or be granted CREATE on its schema.",
  },
  "in-use": {
    file: "Another process has this database: stop it, or give this one a DATA_DIR of its own.",
    server: "Another process answers calls by this name: stop it, or give this one a NODE_NAME of its own.",
  },
  driver: {
    file: "SQLite's binary for this platform is missing: npm ci --include=optional, or use PostgreSQL (DATABASE_URL).",
    server: "Install Ringback again: npm ci.",
  },
} as const;

/** The next step for a store that cannot be opened; null for any other error. */
export function storeAdvice(error: unknown, isServer: boolean): string | null {
  if (!isRingbackError(error, "STORE_UNUSABLE")) return null;
  return ADVICE[error.details.reason][isServer ? "server" : "file"];
}
