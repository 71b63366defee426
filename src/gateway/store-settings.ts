import type { RetentionPolicy } from "../store/types.ts";
import type { SettingsReader } from "./settings-reader.ts";

/** Where records are kept. */
export interface StoreSettings {
  /** Folder of `ringback.db`, and of everything else that is kept. */
  readonly folder: string;
  /** `postgres://…`, in place of SQLite. */
  readonly url?: string;
  /** Encrypts the secrets of webhook endpoints in the store. */
  readonly dataKey?: string;
  /** What this process is called in records: one process for each. */
  readonly node: string;
}

const HINTS = {
  database: "postgres://user:password@host:5432/database",
  dataKey: "32 random characters or more: openssl rand -base64 32.",
  node: "Letters, digits, dots, dashes and underscores, 64 at most. Each process has its own, and keeps it when it starts again.",
} as const;

/** With a file, one process at a time has it, and whatever the host is called now, its calls are this one's. */
const FILE_NODE = "ringback";
const NODE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const DEFAULT_FOLDER = "data";
const MIN_DATA_KEY_CHARS = 32;

export function readStore(reader: SettingsReader, hostName: string): StoreSettings {
  const folder = reader.optional("DATA_DIR") ?? DEFAULT_FOLDER;
  const url = readDatabaseUrl(reader);
  const node = readNode(reader, url === null ? FILE_NODE : asNodeName(hostName));
  const dataKey = readDataKey(reader);
  return { folder, ...(url !== null && { url }), ...(dataKey !== null && { dataKey }), node };
}

function readDatabaseUrl(reader: SettingsReader): string | null {
  const name = "DATABASE_URL";
  const text = reader.secret(name, HINTS.database);
  if (text === null) return null;
  const scheme = URL.canParse(text) ? new URL(text).protocol : null;
  if (scheme === "postgres:" || scheme === "postgresql:") return text;
  // It holds a password: what it is instead is not told.
  const problem = scheme === null ? "is not a URL" : "is no URL of PostgreSQL";
  reader.problem(name, problem, `${HINTS.database}; without it, SQLite keeps a file in DATA_DIR.`);
  return null;
}

function readDataKey(reader: SettingsReader): string | null {
  const name = "DATA_KEY";
  const key = reader.secret(name, HINTS.dataKey);
  if (key !== null && key.length < MIN_DATA_KEY_CHARS) reader.problem(name, "is too short", HINTS.dataKey);
  return key;
}

function readNode(reader: SettingsReader, fallback: string): string {
  const name = "NODE_NAME";
  const text = reader.optional(name);
  if (text !== null && !NODE_NAME.test(text)) reader.problem(name, "is no name for a node", HINTS.node);
  return text ?? fallback;
}

function asNodeName(hostName: string): string {
  const name = hostName.replace(/[^A-Za-z0-9._-]/g, "-").slice(0, 64);
  return NODE_NAME.test(name) ? name : FILE_NODE;
}

const DAY_MS = 86_400_000;
/** A hundred years: for ever. */
const MAX_DAYS = 36_500;
/** WhatsApp may deliver a webhook again for so long: before, it would be taken for a new one. */
const MIN_WEBHOOK_DAYS = 8;

/** What is set of it. */
export function readRetention(reader: SettingsReader): Partial<RetentionPolicy> {
  const days = {
    recordingsMs: readDays(reader, "RETENTION_RECORDINGS_DAYS"),
    callsMs: readDays(reader, "RETENTION_CALLS_DAYS"),
    eventsMs: readDays(reader, "RETENTION_EVENTS_DAYS"),
    deliveriesMs: readDays(reader, "RETENTION_DELIVERIES_DAYS"),
    webhooksMs: readDays(reader, "RETENTION_WEBHOOKS_DAYS", MIN_WEBHOOK_DAYS),
    auditMs: readDays(reader, "RETENTION_AUDIT_DAYS"),
  };
  const set = Object.entries(days).filter((entry): entry is [string, number] => entry[1] !== null);
  return Object.fromEntries(set.map(([kind, count]) => [kind, count * DAY_MS]));
}

function readDays(reader: SettingsReader, name: string, min = 1): number | null {
  return reader.whole(name, min, MAX_DAYS, "a number of days");
}
