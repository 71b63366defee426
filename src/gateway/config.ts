import { join } from "node:path";
import { parseAllowedHost } from "../core/net/allowed-host.ts";
import type { LogLevel } from "../platform/log.ts";
import { createRequestPolicy, type RequestOptions } from "../platform/outgoing-request.ts";
import type { RetentionPolicy } from "../store/types.ts";
import { type GraphClientOptions, resolveGraphOptions } from "../whatsapp/graph-options.ts";
import { type ApiSettings, type EventsSettings, readApi, readEvents } from "./api-settings.ts";
import type { ConfigFile } from "./config-file.ts";
import { ConfigLayers } from "./config-layers.ts";
import { readMedia } from "./media-settings.ts";
import type { GatewayOptions } from "./options.ts";
import { type Environment, type ReadSecret, SettingsReader } from "./settings-reader.ts";
import { readSpeech } from "./speech-settings.ts";
import { readRetention, readStore, type StoreSettings } from "./store-settings.ts";

/** What `ringback serve` runs with, read from the environment and from a file. */
export interface ServeConfig {
  /** What any gateway of these settings has, a trial on this machine included. */
  readonly gateway: GatewayOptions;
  readonly host: string;
  readonly port: number;
  readonly logLevel: LogLevel;
  readonly store: StoreSettings;
  /** Null: no API. */
  readonly api: ApiSettings | null;
  /** Null: no endpoint but those that are made over the API. */
  readonly events: EventsSettings | null;
  /** What is set of it. */
  readonly retention: Partial<RetentionPolicy>;
  /** How long the first SIGTERM waits for running calls, in ms. */
  readonly drainTimeoutMs: number;
  /** Folder of the sounds that may be played over the API; null: none. */
  readonly soundsFolder: string | null;
}

/** What a program's settings are read from beside its environment. */
export interface ConfigSources {
  readonly file?: ConfigFile | null;
  /** Default `ringback`. */
  readonly hostName?: string;
}

const DEFAULT_DRAIN_SECONDS = 900;
const MAX_DRAIN_SECONDS = 86_400;

const LOG_LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error", "silent"];

/**
 * Reads the settings, all problems at once. The environment wins over the file.
 *
 * @throws {RingbackError} `CONFIG_INVALID` with each problem by name and where its value is to be found.
 */
export function loadConfig(
  env: Environment,
  readSecret: ReadSecret,
  { file = null, hostName = "ringback" }: ConfigSources = {},
): ServeConfig {
  const reader = new SettingsReader(new ConfigLayers(env, file).merged, readSecret);
  reader.problems(file?.problems ?? []);
  const gateway = readGateway(reader);
  const config = {
    host: reader.optional("HOST") ?? "127.0.0.1",
    port: reader.whole("PORT", 0, 65_535, "a port") ?? 3000,
    logLevel: reader.oneOf("LOG_LEVEL", LOG_LEVELS) ?? "info",
    gateway,
    store: readStore(reader, hostName),
    api: readApi(reader),
    events: readEvents(reader, gateway.requests?.allowHttp ?? false),
    retention: readRetention(reader),
    drainTimeoutMs: readDrainSeconds(reader) * 1_000,
    soundsFolder: reader.optional("SOUNDS_DIR"),
  };
  reader.throwProblems();
  return config;
}

function readGateway(reader: SettingsReader): GatewayOptions {
  const whatsapp = readWhatsApp(reader);
  const requests = readRequests(reader);
  const speech = readSpeech(reader, requests);
  const maxCalls = reader.whole("MAX_CALLS", 1, 100_000, "a number of calls");
  return {
    ...whatsapp,
    media: readMedia(reader),
    requests,
    ...(speech === null ? {} : { speech }),
    ...(maxCalls === null ? {} : { maxCalls }),
    recordingsFolder: join(reader.optional("DATA_DIR") ?? "data", "recordings"),
  };
}

function readDrainSeconds(reader: SettingsReader): number {
  return (
    reader.whole("DRAIN_TIMEOUT_SECONDS", 0, MAX_DRAIN_SECONDS, "a number of seconds") ??
    DEFAULT_DRAIN_SECONDS
  );
}

const HINTS = {
  token:
    "Meta App Dashboard > WhatsApp > API Setup (a temporary token), or Business Settings > System users (a lasting one).",
  appSecret: "Meta App Dashboard > App settings > Basic > App secret.",
  verifyToken:
    "Any text of your choice; enter the same one at Meta App Dashboard > WhatsApp > Configuration > Verify token.",
  phoneNumberId:
    "Meta App Dashboard > WhatsApp > API Setup > Phone number ID (digits, not the number itself). Several: with commas.",
  graphUrl: "https://graph.facebook.com, or the address that `ringback simulate` prints.",
  graphVersion: "A version such as v26.0.",
  allowedHosts:
    "ivr.example.com, *.example.com or 10.0.0.5, each also with a port behind it (:8443), or 10.0.0.0/8. Several: with commas.",
} as const;

type WhatsAppOptions = Pick<GatewayOptions, "token" | "appSecret" | "verifyToken" | "phoneNumbers" | "graph">;

function readWhatsApp(reader: SettingsReader): WhatsAppOptions {
  const token = readToken(reader);
  const appSecret = readAppSecrets(reader);
  const verifyToken = reader.required("WHATSAPP_WEBHOOK_VERIFICATION_TOKEN", HINTS.verifyToken);
  const phoneNumbers = readPhoneNumberIds(reader);
  const url = readGraph(reader, "GRAPH_API_URL", "baseUrl", HINTS.graphUrl);
  const version = readGraph(reader, "GRAPH_API_VERSION", "apiVersion", HINTS.graphVersion);
  const graph = { ...(url === null ? {} : { url }), ...(version === null ? {} : { version }) };
  return { token, appSecret, verifyToken, phoneNumbers, graph };
}

function readToken(reader: SettingsReader): string {
  const name = "WHATSAPP_TOKEN";
  const token = reader.required(name, HINTS.token);
  const settings = { token: { name, hint: HINTS.token } };
  if (token !== "") reader.judged(() => resolveGraphOptions({ token }), settings);
  return token;
}

function readAppSecrets(reader: SettingsReader): readonly string[] {
  const name = "WHATSAPP_APP_SECRET";
  const text = reader.required(name, HINTS.appSecret);
  const secrets = text.split(",").map((secret) => secret.trim());
  if (text !== "" && secrets.includes("")) {
    reader.problem(name, "has an empty entry between its commas", HINTS.appSecret);
  }
  return secrets;
}

function readPhoneNumberIds(reader: SettingsReader): readonly string[] {
  const name = "WHATSAPP_PHONE_NUMBER_ID";
  const text = reader.required(name, HINTS.phoneNumberId);
  const ids = text.split(",").map((id) => id.trim());
  if (text !== "" && !ids.every((id) => /^\d{5,25}$/.test(id))) {
    reader.problem(name, "is not a list of ids made of digits", HINTS.phoneNumberId);
  }
  return ids;
}

/** A setting that the Graph client has as `option`. */
function readGraph(
  reader: SettingsReader,
  name: "GRAPH_API_URL" | "GRAPH_API_VERSION",
  option: keyof GraphClientOptions,
  hint: string,
): string | null {
  const text = reader.optional(name);
  if (text === null) return null;
  reader.judged(() => resolveGraphOptions({ token: "-", [option]: text }), { [option]: { name, hint } });
  return text;
}

function readRequests(reader: SettingsReader): RequestOptions {
  const allowedHosts = readAllowedHosts(reader);
  const allowHttp = reader.flag("REQUESTS_ALLOW_HTTP");
  const onlyAllowedHosts = reader.flag("REQUESTS_ALLOW_ONLY");
  return { allowHttp, allowedHosts, onlyAllowedHosts };
}

function readAllowedHosts(reader: SettingsReader): readonly string[] {
  const name = "REQUESTS_ALLOW";
  const hosts = reader.list(name);
  const unknown = hosts.filter((host) => parseAllowedHost(host) === null);
  if (unknown.length > 0) {
    const entries = unknown.map((host) => JSON.stringify(host)).join(", ");
    reader.problem(name, `has entries that are no hosts: ${entries}`, HINTS.allowedHosts);
    return [];
  }
  const settings = { "requests.allowedHosts": { name, hint: HINTS.allowedHosts } };
  return reader.judged(() => createRequestPolicy({ allowedHosts: hosts }), settings) === null ? [] : hosts;
}
