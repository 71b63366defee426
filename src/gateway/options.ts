import type { IncomingCallOptions } from "../core/call/types.ts";
import { isRingbackError, RingbackError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { MediaEngine, TextToSpeech } from "../media/index.ts";
import type { Clock } from "../platform/clock.ts";
import { createRequestPolicy, type RequestOptions } from "../platform/outgoing-request.ts";
import type { Random } from "../platform/random.ts";
import type { Timers } from "../platform/timers.ts";
import type { RetentionPolicy } from "../store/types.ts";
import { type GraphClientOptions, resolveGraphOptions } from "../whatsapp/graph-options.ts";
import type { GatewayObserver } from "./observer.ts";

/** A business number that this gateway answers. */
export interface PhoneNumber {
  /** The phone number id of WhatsApp Manager, not the number itself. */
  readonly id: string;
  /** Its own access token. Default: the gateway's. */
  readonly token?: string;
}

export interface MediaOptions {
  /** Local address that media sockets bind to. Default: all. */
  readonly bindAddress?: string;
  /** Worker threads that carry media, each with one UDP port for all its calls; 1 to 64. Default 1. */
  readonly workers?: number;
  /** UDP port of the first worker; the others take the ports that follow it. Default: any free ones. */
  readonly port?: number;
  /**
   * UDP ports for calls whose peer has the address and port of another running call's peer, both ends included:
   * WhatsApp's relays have few addresses, and tell our calls apart by ours. Default: any free ones.
   */
  readonly extraPorts?: { readonly begin: number; readonly end: number };
  /** Address to announce instead of the machine's own, behind 1:1 NAT. Default none. */
  readonly publicAddress?: string;
  /**
   * Effort of encoding what is spoken live, 0 to 10. Default 5: half of the work of 10, and hardly to be told from it. Files are
   * encoded once, with 10.
   */
  readonly encoderComplexity?: number;
  /** Another engine than the built-in one, for all calls in this thread. It is closed with the gateway. */
  readonly engine?: MediaEngine;
}

export interface GatewayStoreOptions {
  /** Folder of the SQLite file, `ringback.db`. Default `./data`. */
  readonly folder?: string;
  /** `postgres://…`: PostgreSQL in place of SQLite. */
  readonly url?: string;
  /**
   * At least 32 random characters. The secrets of webhook endpoints are encrypted with it in the store; without it later, they cannot be
   * read. Default: they are stored as they are.
   */
  readonly dataKey?: string;
  /** What this process is called in records: one process for each name. Default `ringback`. */
  readonly node?: string;
}

export interface GatewayOptions {
  /** Access token with `whatsapp_business_messaging`. */
  readonly token: string;
  /** App secret that signs the webhooks; several while one is being replaced. */
  readonly appSecret: string | readonly string[];
  /** What Meta's dashboard has as the webhook's verify token. */
  readonly verifyToken: string;
  /** The business numbers to answer, by phone number id. Webhooks of others are counted and left alone. */
  readonly phoneNumbers: readonly (string | PhoneNumber)[];
  /** Graph API: base URL (default Meta's), version (default `v26.0`), time for one attempt in ms (default 10 000). */
  readonly graph?: { readonly url?: string; readonly version?: string; readonly timeoutMs?: number };
  readonly media?: MediaOptions;
  readonly call?: IncomingCallOptions;
  /** Speaks what is to be said. Default: nobody does. */
  readonly speech?: TextToSpeech;
  /** What URLs that are played, or named by a flow, may be requested. Default: https to public addresses. */
  readonly requests?: RequestOptions;
  /** Where recordings go that are given no file. Default `./data/recordings`. */
  readonly recordingsFolder?: string;
  /**
   * Where webhooks, call records and events are kept. Default: SQLite, `./data/ringback.db`, for one process at a time. `memory` keeps
   * nothing: for tests.
   */
  readonly store?: "memory" | GatewayStoreOptions;
  /** How long each kind of record is kept, in ms. Defaults: `DEFAULT_RETENTION`. */
  readonly retention?: Partial<RetentionPolicy>;
  /** An endpoint that events are delivered to, beside those that are made over the API. */
  readonly events?: { readonly url: string; readonly secret: string };
  /** Folder of the sounds that may be played over the API by their names. Default: none. */
  readonly soundsFolder?: string;
  /** Who watches: metrics and traces of your own, beside the built-in ones. */
  readonly observer?: GatewayObserver;
  /** Calls at the same time; further ones are rejected. Default 1 000, WhatsApp's own limit for a number. */
  readonly maxCalls?: number;
  /** Default: silent. A pino logger fits as it is. */
  readonly logger?: Logger;
  /** @internal For tests. */
  readonly clock?: Clock;
  /** @internal For tests. */
  readonly timers?: Timers;
  /** @internal For tests. */
  readonly random?: Random;
}

export const DEFAULT_MAX_CALLS = 1_000;
/** More threads than machines have cores for. */
export const MAX_MEDIA_WORKERS = 64;

/** Throws `OPTION_INVALID` for the first option that cannot work. */
export function checkGatewayOptions(options: GatewayOptions): void {
  const secrets = [options.appSecret].flat();
  require(isText(options.token), "token", "must be an access token, not empty");
  require(secrets.length > 0 &&
    secrets.every(isText), "appSecret", "must name at least one secret, none of them empty");
  require(isText(options.verifyToken), "verifyToken", "must be a text that is not empty");
  require(options.phoneNumbers.length > 0, "phoneNumbers", "must name at least one phone number id");
  for (const entry of options.phoneNumbers) checkPhoneNumber(entry);
  checkGraph("token", options.token, options.graph);
  checkMedia(options.media ?? {});
  createRequestPolicy(options.requests);
  checkRange("maxCalls", options.maxCalls, 1, 100_000);
  checkRange("call.answerWindowMs", options.call?.answerWindowMs, 1_000, 120_000);
  checkRange("call.mediaTimeoutMs", options.call?.mediaTimeoutMs, 500, 60_000);
}

/** What the Graph client of one access token is made with. */
export function graphClientOptions(token: string, graph: GatewayOptions["graph"]): GraphClientOptions {
  const { url, version, timeoutMs } = graph ?? {};
  return {
    token,
    ...(url === undefined ? {} : { baseUrl: url }),
    ...(version === undefined ? {} : { apiVersion: version }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}

/** The addresses and extra ports are judged by the engine, at `listen`. */
function checkMedia({ workers = 1, port, encoderComplexity }: MediaOptions): void {
  checkRange("media.encoderComplexity", encoderComplexity, 0, 10);
  checkRange("media.workers", workers, 1, MAX_MEDIA_WORKERS);
  checkRange("media.port", port, 0, 65_536 - workers);
}

function checkPhoneNumber(entry: string | PhoneNumber): void {
  const number = typeof entry === "string" ? { id: entry } : entry;
  const isId = isText(number.id) && /^\d{1,32}$/.test(number.id);
  require(isId, "phoneNumbers", "must be phone number ids: digits, and not the number itself");
  if (number.token === undefined) return;
  require(isText(number.token), "phoneNumbers[].token", "must not be empty");
  checkGraph("phoneNumbers[].token", number.token, undefined);
}

const GRAPH_OPTION_NAMES: Readonly<Record<string, string>> = {
  baseUrl: "graph.url",
  apiVersion: "graph.version",
  timeoutMs: "graph.timeoutMs",
};

/** The Graph client's own check, now instead of at `listen`, and by the names that the options have here. */
function checkGraph(tokenName: string, token: string, graph: GatewayOptions["graph"]): void {
  try {
    resolveGraphOptions(graphClientOptions(token, graph));
  } catch (error) {
    if (!isRingbackError(error, "OPTION_INVALID")) throw error;
    const theirs = error.details.option;
    const option = theirs === "token" ? tokenName : (GRAPH_OPTION_NAMES[theirs] ?? theirs);
    throw new RingbackError("OPTION_INVALID", error.message.replace(theirs, option), { details: { option } });
  }
}

/** Programs without types pass on what the environment lacks. */
function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}

function checkRange(option: string, value: number | undefined, min: number, max: number): void {
  const inRange = value === undefined || (Number.isInteger(value) && value >= min && value <= max);
  require(inRange, option, `must be a whole number from ${min} to ${max}, got ${value}`);
}

function require(holds: boolean, option: string, problem: string): void {
  if (!holds) throw new RingbackError("OPTION_INVALID", `${option} ${problem}.`, { details: { option } });
}
