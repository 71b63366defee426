import type { Dispatcher } from "undici";
import { RingbackError } from "../errors.ts";

/** What `POST /{phone-number-id}/calls` is asked to do. */
export type GraphAction = "connect" | "pre_accept" | "accept" | "reject" | "terminate";

export interface GraphRetryOptions {
  /** Most attempts of one request, the first included, 1–10. Default 3. */
  readonly attempts?: number;
  /** Delay before the second attempt, doubled for each further one. Default 200. */
  readonly baseDelayMs?: number;
  /** Longest delay, also for `Retry-After`: when Graph asks for more, the request fails at once. Default 2 000. */
  readonly maxDelayMs?: number;
}

/** One attempt of a request, for metrics and logs. It holds neither SDP nor numbers. */
export interface GraphAttempt {
  readonly action: GraphAction;
  /** 1 for the first attempt. */
  readonly attempt: number;
  readonly durationMs: number;
  /** Null when no HTTP answer came. */
  readonly status: number | null;
  readonly outcome: "ok" | "refused" | "network" | "timeout" | "bad-response";
}

export interface GraphClientOptions {
  /** Access token of a system user with `whatsapp_business_messaging`. */
  readonly token: string;
  /** Default `https://graph.facebook.com`. May have a path. Plain http is taken for loopback hosts only. */
  readonly baseUrl?: string;
  /** Default `v26.0`. */
  readonly apiVersion?: string;
  /** Time for one attempt, answer included, in ms, 1–120 000. Default 10 000. */
  readonly timeoutMs?: number;
  readonly retry?: GraphRetryOptions;
  /** A number in [0, 1) for the jitter of delays. Default `Math.random`. */
  readonly random?: () => number;
  /** Waits between attempts; rejects when the signal aborts. Default: a timer. */
  readonly sleep?: (delayMs: number, signal: AbortSignal | undefined) => Promise<void>;
  /** Monotonic time in ms, for `GraphAttempt.durationMs`. Default `performance.now`. */
  readonly nowMs?: () => number;
  /** Replaces the client's own connection pool; `close()` leaves it open. */
  readonly dispatcher?: Dispatcher;
  /** Called after every attempt. What it throws is ignored. */
  readonly onAttempt?: (attempt: GraphAttempt) => void;
}

/** The options with their defaults, checked. */
export interface GraphSettings {
  readonly token: string;
  readonly origin: string;
  /** Path up to the phone number id, with a slash at both ends. */
  readonly pathPrefix: string;
  readonly timeoutMs: number;
  readonly attempts: number;
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
}

/** @throws {RingbackError} `OPTION_INVALID` */
export function resolveGraphOptions(options: GraphClientOptions): GraphSettings {
  const { baseUrl = "https://graph.facebook.com", apiVersion = "v26.0", retry = {} } = options;
  // The token travels in a header: anything but printable ASCII would be refused later, or quoted in that error.
  if (!/^[\x21-\x7e]+$/.test(options.token)) {
    throw optionError("token", "token must be the access token without spaces or line ends");
  }
  if (!/^v\d{1,3}\.\d{1,3}$/.test(apiVersion)) {
    throw optionError("apiVersion", "apiVersion must look like v26.0");
  }
  const url = readBaseUrl(baseUrl);
  return {
    token: options.token,
    origin: url.origin,
    pathPrefix: `${url.pathname.replace(/\/+$/, "")}/${apiVersion}/`,
    timeoutMs: inRange("timeoutMs", options.timeoutMs ?? 10_000, 1, 120_000),
    attempts: inRange("retry.attempts", retry.attempts ?? 3, 1, 10),
    baseDelayMs: inRange("retry.baseDelayMs", retry.baseDelayMs ?? 200, 0, 60_000),
    maxDelayMs: inRange("retry.maxDelayMs", retry.maxDelayMs ?? 2_000, 0, 60_000),
  };
}

/** The error for an option or argument that is out of range. `message` must not quote secrets or numbers. */
export function optionError(option: string, message: string): RingbackError<"OPTION_INVALID"> {
  return new RingbackError("OPTION_INVALID", message, { details: { option } });
}

function readBaseUrl(baseUrl: string): URL {
  if (!URL.canParse(baseUrl)) {
    throw optionError("baseUrl", "baseUrl must be a URL such as https://graph.facebook.com");
  }
  const url = new URL(baseUrl);
  const isSecure = url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname));
  if (!isSecure) {
    throw optionError("baseUrl", "baseUrl must be https; plain http would show the token to the network");
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw optionError("baseUrl", "baseUrl must have no user, password, query or fragment");
  }
  if (/\/v\d+\.\d+\/*$/.test(url.pathname)) {
    throw optionError("baseUrl", "baseUrl must not end with a version; set apiVersion");
  }
  return url;
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);
}

function inRange(option: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw optionError(option, `${option} must be a whole number from ${min} to ${max}, got ${value}`);
}
