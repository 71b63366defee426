import { isWebhookSecret } from "../core/delivery/webhook-secret.ts";
import { ipVersion } from "../core/sdp/ip-version.ts";
import type { SettingsReader } from "./settings-reader.ts";

/** Where the control API listens. */
export interface ApiSettings {
  readonly host: string;
  readonly port: number;
  /** Origin that its links begin with. */
  readonly publicUrl?: string;
  readonly trustedProxies: readonly string[];
  readonly allowedOrigins: readonly string[];
}

/** An endpoint that events are delivered to. */
export interface EventsSettings {
  readonly url: string;
  /** `whsec_…` */
  readonly secret: string;
}

const DEFAULT_HOST = "127.0.0.1";
const DEFAULT_PORT = 3001;

const HINTS = {
  port: "A whole number from 0 to 65535, or off.",
  origin: "Such as https://ringback.example.com, without a path.",
  proxies: "10.0.0.5, fd00::5 or 10.0.0.0/8. Several: with commas.",
  eventsUrl: "An address that takes POST requests, such as https://crm.example.com/ringback.",
  eventsSecret:
    "whsec_ and 24 to 64 random bytes in base64, which the receiver has, too: echo whsec_$(openssl rand -base64 32).",
} as const;

/** Null: there is no API. */
export function readApi(reader: SettingsReader): ApiSettings | null {
  const host = reader.optional("API_HOST") ?? DEFAULT_HOST;
  const port = readPort(reader);
  const publicUrl = readOrigins(reader, "API_PUBLIC_URL")[0];
  const allowedOrigins = readOrigins(reader, "API_ALLOWED_ORIGINS");
  const trustedProxies = readProxies(reader);
  if (port === "off") return null;
  return { host, port, ...(publicUrl !== undefined && { publicUrl }), trustedProxies, allowedOrigins };
}

function readOrigins(reader: SettingsReader, name: string): readonly string[] {
  const origins = reader.list(name).map((text) => text.replace(/\/$/, ""));
  const isOrigin = (text: string): boolean => URL.canParse(text) && new URL(text).origin === text;
  if (origins.every(isOrigin)) return origins;
  reader.problem(name, "is no origin of http or https", HINTS.origin);
  return [];
}

function readProxies(reader: SettingsReader): readonly string[] {
  const name = "API_TRUSTED_PROXIES";
  const proxies = reader.list(name);
  if (proxies.every((text) => ipVersion(text.replace(/\/\d{1,3}$/, "")) !== null)) return proxies;
  reader.problem(name, "has entries that are no addresses", HINTS.proxies);
  return [];
}

function readPort(reader: SettingsReader): number | "off" {
  const name = "API_PORT";
  const text = reader.optional(name)?.toLowerCase() ?? null;
  if (text === null) return DEFAULT_PORT;
  if (text === "off") return "off";
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  if (port >= 0 && port <= 65_535) return port;
  reader.problem(name, "is neither a port nor off", HINTS.port);
  return DEFAULT_PORT;
}

/** Null: events go to those endpoints alone that are made over the API. */
export function readEvents(reader: SettingsReader, allowHttp: boolean): EventsSettings | null {
  const url = readEventsUrl(reader, allowHttp);
  const secret = reader.secret("EVENTS_SECRET", HINTS.eventsSecret);
  if (secret !== null && !isWebhookSecret(secret)) {
    reader.problem("EVENTS_SECRET", "is no secret of Standard Webhooks", HINTS.eventsSecret);
  }
  if (url !== null && secret === null) reader.missing("EVENTS_SECRET", HINTS.eventsSecret);
  if (secret !== null && reader.optional("EVENTS_URL") === null)
    reader.missing("EVENTS_URL", HINTS.eventsUrl);
  return url === null || secret === null ? null : { url, secret };
}

function readEventsUrl(reader: SettingsReader, allowHttp: boolean): string | null {
  const name = "EVENTS_URL";
  const text = reader.optional(name);
  if (text === null) return null;
  const scheme = URL.canParse(text) ? new URL(text).protocol : null;
  if (scheme === "https:" || (scheme === "http:" && allowHttp)) return text;
  const problem =
    scheme === "http:" ? "is http, which REQUESTS_ALLOW_HTTP does not allow" : "is no https URL";
  reader.problem(name, problem, HINTS.eventsUrl);
  return null;
}
