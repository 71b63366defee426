import type { FastifyInstance } from "fastify";
import { RingbackError } from "../errors.ts";
import { type Logger, silentLogger } from "../logger.ts";
import { createDatachannelEngine, createPromptCache, MediaClock, type MediaEngine } from "../media/index.ts";
import { type Clock, systemClock } from "../platform/clock.ts";
import { type Random, systemRandom } from "../platform/random.ts";
import { systemTimers, type Timers } from "../platform/timers.ts";
import { createGraphClient, type GraphClient } from "../whatsapp/graph-client.ts";
import type { CallHandler } from "./call.ts";
import { CallRegistry, type RegistryCounters } from "./call-registry.ts";
import { createHttpServer } from "./http.ts";
import { checkGatewayOptions, DEFAULT_MAX_CALLS, type GatewayOptions } from "./options.ts";

/** `idle` until `listen`; `draining` takes no new call; `closed` is for good. */
export type GatewayState = "idle" | "running" | "draining" | "closed";

export interface ListenOptions {
  /** TCP port of the webhook; 0 takes any free one. Default 3000. */
  readonly port?: number;
  /** Address to listen on. Default 127.0.0.1: a tunnel or a proxy brings HTTPS. */
  readonly host?: string;
}

export interface GatewayStatus {
  readonly state: GatewayState;
  readonly calls: number;
  readonly counters: Readonly<RegistryCounters>;
  /** Slots of 20 ms that the media clock missed. */
  readonly mediaSlotsSkipped: number;
}

/** How long `close` waits for WhatsApp to confirm the ends of calls, in ms. */
const CLOSE_GRACE_MS = 5_000;

/** Makes a gateway. It does nothing until `listen`. Throws `OPTION_INVALID`. */
export function createGateway(options: GatewayOptions): Gateway {
  checkGatewayOptions(options);
  return new Gateway(options);
}

/** Answers the calls of one or more business numbers: webhook in, Graph requests and media out. */
export class Gateway implements AsyncDisposable {
  readonly #options: GatewayOptions;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #random: Random;
  readonly #prompts = createPromptCache({});
  readonly #graphByNumber = new Map<string, GraphClient>();
  readonly #mediaClock: MediaClock;
  #state: GatewayState = "idle";
  #handler: CallHandler | null = null;
  #http: FastifyInstance | null = null;
  #engine: MediaEngine | null = null;
  #registry: CallRegistry | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
    this.#clock = options.clock ?? systemClock;
    this.#timers = options.timers ?? systemTimers;
    this.#random = options.random ?? systemRandom;
    this.#mediaClock = new MediaClock({
      clock: this.#clock,
      timers: this.#timers,
      onError: (error) => this.#logger.error({ err: error }, "media of a call failed"),
    });
  }

  /** Sets the program that takes each call. One gateway has one handler, set before `listen`. */
  onCall(handler: CallHandler): this {
    if (this.#handler !== null || this.#state !== "idle") {
      throw this.#wrongState("onCall", "Register one handler, before listen().");
    }
    this.#handler = handler;
    return this;
  }

  /** Encodes a file now, so that the first call that plays it need not wait. Throws `MEDIA_FILE_UNUSABLE`. */
  async preload(file: string): Promise<void> {
    await this.#prompts.load(file);
  }

  get status(): GatewayStatus {
    return {
      state: this.#state,
      calls: this.#registry?.size ?? 0,
      counters: { ...(this.#registry?.counters ?? NO_COUNTERS) },
      mediaSlotsSkipped: this.#mediaClock.stats().skippedSlots,
    };
  }

  /**
   * Loads the media engine and opens the webhook. Resolves with its URL.
   * @throws {RingbackError} `GATEWAY_WRONG_STATE` without a handler or when called twice; `MEDIA_ENGINE_FAILED`.
   */
  async listen(options: ListenOptions = {}): Promise<{ readonly url: string }> {
    const handler = this.#handler;
    if (handler === null)
      throw this.#wrongState("listen", "Say with onCall() what is to happen with a call.");
    if (this.#state !== "idle") throw this.#wrongState("listen", "A gateway listens once; make another one.");
    this.#state = "running";
    try {
      return await this.#open(handler, options);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /**
   * Takes no new call and resolves when the last one has ended, or when `signal` aborts. The webhook stays open:
   * the ends of the running calls come in through it.
   */
  async drain(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    if (this.#state !== "running") return;
    this.#state = "draining";
    this.#registry?.refuseNewCalls();
    const aborted = new Promise<void>((resolve) => {
      if (options.signal?.aborted) resolve();
      options.signal?.addEventListener("abort", () => resolve(), { once: true });
    });
    await Promise.race([this.#registry?.empty() ?? Promise.resolve(), aborted]);
  }

  /** Ends every call, tells WhatsApp, and releases every socket. Idempotent; a second call waits for the first. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #open(handler: CallHandler, options: ListenOptions): Promise<{ readonly url: string }> {
    const { media } = this.#options;
    this.#engine = media?.engine ?? (await this.#createEngine());
    this.#openGraphClients();
    const registry = new CallRegistry({
      context: {
        clock: this.#clock,
        timers: this.#timers,
        random: this.#random,
        engine: this.#engine,
        mediaClock: this.#mediaClock,
        prompts: this.#prompts,
        logger: this.#logger,
        call: this.#options.call ?? {},
        handler,
      },
      graphFor: (phoneNumberId) => this.#graphByNumber.get(phoneNumberId) ?? null,
      maxCalls: this.#options.maxCalls ?? DEFAULT_MAX_CALLS,
    });
    this.#registry = registry;
    this.#http = createHttpServer({
      appSecrets: [this.#options.appSecret].flat(),
      verifyTokens: [this.#options.verifyToken],
      clock: this.#clock,
      logger: this.#logger,
      onEvents: (events, receivedAtMs) => {
        for (const event of events) registry.dispatch(event, receivedAtMs);
      },
      health: () => ({ status: this.#state === "running" ? "ok" : "draining", calls: registry.size }),
    });
    const origin = await this.#http.listen({ port: options.port ?? 3000, host: options.host ?? "127.0.0.1" });
    return { url: `${origin}/webhook` };
  }

  #createEngine(): Promise<MediaEngine> {
    const { bindAddress, portRange, publicAddress } = this.#options.media ?? {};
    return createDatachannelEngine({
      ...(bindAddress === undefined ? {} : { bindAddress }),
      ...(portRange === undefined ? {} : { portRange }),
      ...(publicAddress === undefined ? {} : { publicAddress }),
      random: this.#random,
      logger: this.#logger,
    });
  }

  /** One client, and so one connection pool, for each access token. */
  #openGraphClients(): void {
    const byToken = new Map<string, GraphClient>();
    for (const entry of this.#options.phoneNumbers) {
      const number = typeof entry === "string" ? { id: entry } : entry;
      const token = number.token ?? this.#options.token;
      const client = byToken.get(token) ?? this.#createGraphClient(token);
      byToken.set(token, client);
      this.#graphByNumber.set(number.id, client);
    }
  }

  #createGraphClient(token: string): GraphClient {
    const { url, version, timeoutMs } = this.#options.graph ?? {};
    return createGraphClient({
      token,
      ...(url === undefined ? {} : { baseUrl: url }),
      ...(version === undefined ? {} : { apiVersion: version }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
  }

  async #close(): Promise<void> {
    this.#state = "closed";
    this.#registry?.refuseNewCalls();
    await this.#endCalls();
    await this.#http?.close();
    await this.#engine?.close();
    await Promise.all([...new Set(this.#graphByNumber.values())].map((client) => client.close()));
  }

  async #endCalls(): Promise<void> {
    if (this.#registry === null) return;
    let timer: ReturnType<Timers["setTimer"]> | null = null;
    const expired = new Promise<void>((resolve) => {
      timer = this.#timers.setTimer(CLOSE_GRACE_MS, resolve);
    });
    await Promise.race([this.#registry.endAll(), expired]);
    if (timer !== null) this.#timers.clearTimer(timer);
  }

  #wrongState(operation: string, advice: string): RingbackError {
    return new RingbackError("GATEWAY_WRONG_STATE", `${operation}() is not possible now. ${advice}`, {
      details: { state: this.#state, operation },
    });
  }
}

const NO_COUNTERS: RegistryCounters = {
  callsStarted: 0,
  eventsRepeated: 0,
  eventsIgnored: 0,
  eventsOfOtherNumbers: 0,
  callsOverLimit: 0,
};
