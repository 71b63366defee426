import { type ErrorDetails, RingbackError } from "../errors.ts";

type Reason = ErrorDetails["STORE_UNAVAILABLE"]["reason"];

const MEANING: Readonly<Record<Reason, string>> = {
  "disk-full": "the disk of the store is full: make room; what waits is written then",
  "read-only": "the store may not be written: check the permissions and the mount of its folder",
  connection: "the database does not answer: check that it runs and that it is reached",
  busy: "the store is held by another program for too long: end what locks it",
  io: "the disk of the store failed: check the disk and the system's log",
  corrupt: "the file of the store is damaged: stop, move it away and bring back a backup",
  closed: "the store is closed",
  overloaded: "more waits to be written than the store may keep: its disk or database is too slow",
};

/** SQLite's result codes (sqlite.org/rescode.html); extended ones begin with these. */
const SQLITE_REASONS: readonly (readonly [string, Reason])[] = [
  ["SQLITE_FULL", "disk-full"],
  ["SQLITE_READONLY", "read-only"],
  ["SQLITE_PERM", "read-only"],
  ["SQLITE_CANTOPEN", "io"],
  ["SQLITE_IOERR", "io"],
  ["SQLITE_NOMEM", "io"],
  ["SQLITE_CORRUPT", "corrupt"],
  ["SQLITE_NOTADB", "corrupt"],
  ["SQLITE_BUSY", "busy"],
  ["SQLITE_LOCKED", "busy"],
];

/** PostgreSQL's SQLSTATE by class, then by whole code (postgresql.org/docs/15/errcodes-appendix.html); node's codes of sockets. */
const POSTGRES_REASONS: Readonly<Record<string, Reason>> = {
  "08": "connection",
  "57P": "connection",
  "28": "connection",
  "3D": "connection",
  "53100": "disk-full",
  "53": "busy",
  "25006": "read-only",
  "55P03": "busy",
  "57014": "busy",
  "58": "io",
  XX001: "corrupt",
  XX002: "corrupt",
};

const SOCKET_CODES: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOENT",
  "ECONNABORTED",
]);

/** pg has no codes for these (pg 8.23, lib/client.js and pg-pool). */
const CONNECTION_TEXT =
  /connection terminated|connection timeout|timeout exceeded when trying to connect|query read timeout|client has encountered a connection error|not queryable|connection error|discarded/i;

export function storeUnavailable(reason: Reason, cause?: unknown): RingbackError<"STORE_UNAVAILABLE"> {
  return new RingbackError("STORE_UNAVAILABLE", MEANING[reason], {
    details: { reason },
    retryable: reason !== "closed",
    cause,
  });
}

/** What stands in the way of the database, when that is it; otherwise the error as it is: a mistake in a request. */
export function toStoreError(error: unknown): unknown {
  if (error instanceof RingbackError) return error;
  const reason = reasonOf(error);
  return reason === null ? error : storeUnavailable(reason, error);
}

export function reasonOf(error: unknown): Reason | null {
  if (!(error instanceof Error)) return null;
  const code = codeOf(error);
  if (code?.startsWith("SQLITE_")) {
    return SQLITE_REASONS.find(([prefix]) => code.startsWith(prefix))?.[1] ?? null;
  }
  if (code !== null && SOCKET_CODES.has(code)) return "connection";
  if (code !== null && /^[0-9A-Z]{5}$/.test(code)) return postgresReason(code);
  return CONNECTION_TEXT.test(error.message) ? "connection" : null;
}

function postgresReason(code: string): Reason | null {
  return (
    POSTGRES_REASONS[code] ?? POSTGRES_REASONS[code.slice(0, 3)] ?? POSTGRES_REASONS[code.slice(0, 2)] ?? null
  );
}

/** Another transaction was in the way, and this one was rolled back: the same again succeeds. */
export function isTransient(error: unknown): boolean {
  const code = error instanceof Error ? codeOf(error) : null;
  return code === "40001" || code === "40P01";
}

/** Of node's several addresses for one name it says so for each (`AggregateError`). */
function codeOf(error: Error): string | null {
  return "code" in error && typeof error.code === "string" ? error.code : null;
}
