import type { FastifyInstance } from "fastify";
import { RingbackError } from "../errors.ts";
import { type Logger, silentLogger } from "../logger.ts";
import {
  createMediaWorkerPool,
  createPromptCache,
  LocalMediaHost,
  type MediaHost,
  type MediaStatus,
  WorkSlices,
} from "../media/index.ts";
import { type Clock, systemClock } from "../platform/clock.ts";
import { createRequestPolicy } from "../platform/outgoing-request.ts";
import { type Random, systemRandom } from "../platform/random.ts";
import { systemTimers, type Timers } from "../platform/timers.ts";
import { createGraphClient, type GraphClient } from "../whatsapp/graph-client.ts";
import type { Readiness } from "./api/context.ts";
import type { CallHandler } from "./call.ts";
import { CallRegistry, type RegistryCounters } from "./call-registry.ts";
import { createHttpServer, listenOn } from "./http.ts";
import { Ledger, type LedgerContext, openGatewayStore } from "./ledger.ts";
import type { GatewayObserver } from "./observer.ts";
import {
  checkGatewayOptions,
  DEFAULT_MAX_CALLS,
  type GatewayOptions,
  graphClientOptions,
} from "./options.ts";
import { SoundSources } from "./verbs/sound-sources.ts";
import type { PlaySource } from "./verbs/types.ts";
import { UrlSounds } from "./verbs/url-sounds.ts";

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
  readonly media: MediaStatus;
}

/** A longer sound is encoded as it plays, so that it begins at once and is not held whole. */
const MAX_PROMPT_MS = 120_000;
/** How long work on files holds up everything else at a time. */
const SLICE_MS = 4;
const RECORDINGS_FOLDER = "./data/recordings";
/** How long `close` waits for WhatsApp to confirm the ends of calls, in ms. After it, requests are given up. */
const CLOSE_GRACE_MS = 5_000;

/** Makes a gateway. It does nothing until `listen`. Throws `OPTION_INVALID`. */
export function createGateway(options: GatewayOptions): Gateway {
  checkGatewayOptions(options);
  return new Gateway(options);
}

/** Answers the calls of one or more business numbers: webhook in, Graph requests and media out. */
export class Gateway implements AsyncDisposable {
  /** Resolves when the gateway is closed, by whomever; never rejects. */
  readonly closed: Promise<void>;
  readonly #options: GatewayOptions;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #random: Random;
  readonly #slices: WorkSlices;
  readonly #sources: SoundSources;
  readonly #graphByNumber = new Map<string, GraphClient>();
  #state: GatewayState = "idle";
  #handler: CallHandler | null = null;
  #http: FastifyInstance | null = null;
  #media: MediaHost | null;
  #registry: CallRegistry | null = null;
  #ledger: Ledger | null = null;
  #opening: Promise<{ readonly url: string }> | null = null;
  #closing: Promise<void> | null = null;
  #resolveClosed!: () => void;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
    this.#clock = options.clock ?? systemClock;
    this.#timers = options.timers ?? systemTimers;
    this.#random = options.random ?? systemRandom;
    this.#media = this.#createLocalHost();
    this.#slices = new WorkSlices(this.#clock, SLICE_MS);
    this.#sources = this.#createSources();
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
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

  /** Makes a sound ready now, so that the first call that plays it need not wait. Throws as `call.play`. */
  async preload(source: PlaySource): Promise<void> {
    await this.#sources.resolve(source, 1);
  }

  get status(): GatewayStatus {
    return {
      state: this.#state,
      calls: this.#registry?.size ?? 0,
      counters: { ...(this.#registry?.counters ?? NO_COUNTERS) },
      media: this.#media?.status() ?? { workers: [] },
    };
  }

  /**
   * Starts the media workers and opens the webhook. Resolves with its URL.
   * @throws {RingbackError} `GATEWAY_WRONG_STATE` without a handler, when called twice, or closed meanwhile;
   * `OPTION_INVALID` when the port or the address cannot be had; `MEDIA_ENGINE_FAILED`.
   */
  async listen(options: ListenOptions = {}): Promise<{ readonly url: string }> {
    const handler = this.#handler;
    if (handler === null)
      throw this.#wrongState("listen", "Say with onCall() what is to happen with a call.");
    if (this.#state !== "idle") throw this.#wrongState("listen", "A gateway listens once; make another one.");
    this.#state = "running";
    this.#opening = this.#open(handler, options);
    try {
      const opened = await this.#opening;
      if (this.#closing === null) return opened;
    } catch (error) {
      await this.close();
      throw error;
    }
    throw this.#wrongState("listen", "The gateway was closed meanwhile.");
  }

  /**
   * Takes no new call and resolves when the last one has ended, or when `signal` aborts. The webhook stays open:
   * the ends of the running calls come in through it.
   */
  async drain(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    if (this.#state === "running") this.#state = "draining";
    if (this.#state !== "draining" || options.signal?.aborted) return;
    this.#registry?.refuseNewCalls();
    const empty = this.#registry?.empty() ?? Promise.resolve();
    await (options.signal === undefined ? empty : unlessAborted(empty, options.signal));
  }

  /** Ends every call, tells WhatsApp, and releases every socket. Idempotent; a second call waits for the first. */
  close(): Promise<void> {
    this.#closing ??= this.#close().finally(this.#resolveClosed);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #open(handler: CallHandler, options: ListenOptions): Promise<{ readonly url: string }> {
    // First: without the store there is nothing to start for.
    const opened = await openGatewayStore(this.#options.store, this.#context());
    try {
      this.#media ??= await this.#startWorkers();
    } catch (error) {
      await opened.store.close();
      throw error;
    }
    this.#openGraphClients();
    const observer: GatewayObserver = this.#options.observer ?? {};
    const registry = this.#createRegistry(this.#media, handler, observer);
    this.#registry = registry;
    // drain() or close() came while the workers were starting.
    if (this.#state !== "running") registry.refuseNewCalls();
    const graphFor = (phoneNumberId: string): GraphClient | null => this.#graphOf(phoneNumberId);
    const ledger = new Ledger(opened.store, opened.node, { registry, graphFor, observer }, this.#context());
    this.#ledger = ledger;
    await ledger.recover();
    this.#http = createHttpServer({
      appSecrets: [this.#options.appSecret].flat(),
      verifyTokens: [this.#options.verifyToken],
      clock: this.#clock,
      logger: this.#logger,
      observer,
      take: (body, events, receivedAtMs) => ledger.intake.take(body, events, receivedAtMs),
      health: () => ({ status: this.#state === "running" ? "ok" : "draining", calls: registry.size }),
      readiness: () => this.#readiness(ledger),
    });
    const origin = await listenOn(this.#http, options.host ?? "127.0.0.1", options.port ?? 3000);
    return { url: `${origin}/webhook` };
  }

  #createRegistry(media: MediaHost, handler: CallHandler, observer: GatewayObserver): CallRegistry {
    return new CallRegistry({
      context: {
        clock: this.#clock,
        timers: this.#timers,
        media,
        sources: this.#sources,
        slices: this.#slices,
        recordingsFolder: this.#options.recordingsFolder ?? RECORDINGS_FOLDER,
        logger: this.#logger,
        call: this.#options.call ?? {},
        handler,
        observer,
      },
      graphFor: (phoneNumberId) => this.#graphOf(phoneNumberId),
      maxCalls: this.#options.maxCalls ?? DEFAULT_MAX_CALLS,
    });
  }

  #graphOf(phoneNumberId: string): GraphClient | null {
    return this.#graphByNumber.get(phoneNumberId) ?? null;
  }

  async #readiness(ledger: Ledger): Promise<Readiness> {
    const reasons: string[] = [];
    if (this.#state !== "running") reasons.push("draining");
    if (!(await ledger.isWritable())) reasons.push("store_unavailable");
    return { ready: reasons.length === 0, reasons };
  }

  #context(): LedgerContext {
    return { clock: this.#clock, timers: this.#timers, random: this.#random, logger: this.#logger };
  }

  #createSources(): SoundSources {
    return new SoundSources({
      prompts: createPromptCache({ maxDurationMs: MAX_PROMPT_MS, clock: this.#clock }),
      urls: new UrlSounds(createRequestPolicy(this.#options.requests), this.#clock),
      speech: this.#options.speech ?? null,
      slices: this.#slices,
    });
  }

  /** Calls in this thread, when the engine was given. */
  #createLocalHost(): MediaHost | null {
    const { engine, encoderComplexity } = this.#options.media ?? {};
    if (engine === undefined) return null;
    return new LocalMediaHost({
      engine,
      ...(encoderComplexity !== undefined && { encoderComplexity }),
      clock: this.#clock,
      timers: this.#timers,
      random: this.#random,
      logger: this.#logger,
    });
  }

  #startWorkers(): Promise<MediaHost> {
    const { engine: _, ...media } = this.#options.media ?? {};
    return createMediaWorkerPool({
      ...media,
      clock: this.#clock,
      timers: this.#timers,
      logger: this.#logger,
    });
  }

  /** One client, and so one connection pool, for each access token. */
  #openGraphClients(): void {
    const byToken = new Map<string, GraphClient>();
    for (const entry of this.#options.phoneNumbers) {
      const number = typeof entry === "string" ? { id: entry } : entry;
      const token = number.token ?? this.#options.token;
      const client = byToken.get(token) ?? createGraphClient(graphClientOptions(token, this.#options.graph));
      byToken.set(token, client);
      this.#graphByNumber.set(number.id, client);
    }
  }

  async #close(): Promise<void> {
    this.#state = "closed";
    this.#registry?.refuseNewCalls();
    // What listen() is about to open is closed with the rest; its failure is told to its caller.
    await this.#opening?.catch(() => {});
    await this.#endCalls();
    await this.#http?.close();
    await this.#ledger?.close();
    const clients = new Set(this.#graphByNumber.values());
    await Promise.all([this.#media?.close(), ...[...clients].map((client) => client.close())]);
  }

  async #endCalls(): Promise<void> {
    const registry = this.#registry;
    if (registry === null) return;
    const timer = this.#timers.setTimer(CLOSE_GRACE_MS, () => {
      this.#logger.warn({ calls: registry.size }, "closing without WhatsApp's word on the ends of calls");
      registry.abandonAll();
    });
    await registry.endAll();
    this.#timers.clearTimer(timer);
  }

  #wrongState(operation: string, advice: string): RingbackError {
    return new RingbackError("GATEWAY_WRONG_STATE", `${operation}() is not possible now. ${advice}`, {
      details: { state: this.#state, operation },
    });
  }
}

/** Resolves with the promise, or when the signal aborts; leaves nothing at the signal. */
async function unlessAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  let stop = (): void => {};
  const aborted = new Promise<void>((resolve) => {
    stop = () => resolve();
    signal.addEventListener("abort", stop, { once: true });
  });
  await Promise.race([promise, aborted]);
  signal.removeEventListener("abort", stop);
}

const NO_COUNTERS: RegistryCounters = {
  callsStarted: 0,
  eventsRepeated: 0,
  eventsIgnored: 0,
  eventsOfOtherNumbers: 0,
  callsOverLimit: 0,
};
