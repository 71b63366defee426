import { dirname } from "node:path";
import type { FastifyInstance } from "fastify";
import type { MediaHost, MediaStatus, WorkSlices } from "../media/index.ts";
import { createRequestPolicy } from "../platform/outgoing-request.ts";
import { freeBytesAt } from "../platform/process-stats.ts";
import { VERSION } from "../platform/version.ts";
import type { ApiContext, Readiness } from "./api/context.ts";
import type { CallHandler } from "./call.ts";
import { CallRegistry, type RegistryCounters } from "./call-registry.ts";
import type { GatewayContext } from "./gateway-context.ts";
import { GraphClients } from "./graph-clients.ts";
import { createHttpServer, type GatewayHealth, listenOn } from "./http.ts";
import { Ledger, type OpenedStore } from "./ledger.ts";
import { createMetrics, type Metrics } from "./metrics/metrics.ts";
import type { GatewayObserver } from "./observer.ts";
import { joinObservers } from "./observers.ts";
import { DEFAULT_MAX_CALLS, type GatewayOptions } from "./options.ts";
import { type ApiListenOptions, Services } from "./services.ts";
import { createCallTraces } from "./tracing/call-traces.ts";
import type { SoundSources } from "./verbs/sound-sources.ts";

const RECORDINGS_FOLDER = "./data/recordings";
/** How long `endCalls` waits for WhatsApp to confirm the ends of calls, in ms. After it, requests are given up. */
const END_GRACE_MS = 5_000;

export interface CoreParts {
  readonly opened: OpenedStore;
  readonly media: MediaHost;
  readonly sources: SoundSources;
  readonly slices: WorkSlices;
  readonly handler: CallHandler;
  readonly hasApi: boolean;
  /** The gateway's own, which outlives the core. */
  readonly status: () => {
    readonly state: string;
    readonly counters: Readonly<RegistryCounters>;
    readonly media: MediaStatus;
  };
  readonly drain: () => void;
}

/** What a gateway is made of while it listens: calls, their records, the servers around them. */
export class GatewayCore {
  readonly registry: CallRegistry;
  readonly #options: GatewayOptions;
  readonly #context: GatewayContext;
  readonly #parts: CoreParts;
  readonly #graphs: GraphClients;
  readonly #ledger: Ledger;
  readonly #metrics: Metrics | null;
  readonly #observer: GatewayObserver;
  readonly #services: Services;
  #http: FastifyInstance | null = null;

  constructor(options: GatewayOptions, context: GatewayContext, parts: CoreParts) {
    this.#options = options;
    this.#context = context;
    this.#parts = parts;
    this.#graphs = new GraphClients(options);
    this.#metrics = parts.hasApi ? this.#createMetrics() : null;
    const observers = [this.#metrics, createCallTraces(), options.observer ?? null];
    this.#observer = joinObservers(
      observers.filter((observer) => observer !== null),
      context.logger,
    );
    this.registry = this.#createRegistry();
    const { store, node } = parts.opened;
    const graphFor = this.#graphs.of.bind(this.#graphs);
    this.#ledger = new Ledger(
      store,
      node,
      {
        registry: this.registry,
        graphFor,
        observer: this.#observer,
        recordingsFolder: this.#recordingsFolder,
        slices: parts.slices,
      },
      context,
    );
    this.#services = new Services({
      store,
      ...context,
      observer: this.#observer,
      requests: options.requests ?? {},
      recordingsFolder: this.#recordingsFolder,
      retention: options.retention ?? {},
      events: options.events ?? null,
    });
  }

  /**
   * Finishes what a process before this one has left, then opens the API and the webhook.
   * @returns Where they listen.
   */
  async open(
    host: string,
    port: number,
    api: ApiListenOptions | null,
  ): Promise<{ readonly url: string; readonly apiUrl: string | null }> {
    await this.#ledger.recover();
    await this.#services.start();
    const apiUrl = api === null ? null : await this.#services.openApi(this.#apiContext(api), api);
    const { clock, logger } = this.#context;
    this.#http = createHttpServer({
      appSecrets: [this.#options.appSecret].flat(),
      verifyTokens: [this.#options.verifyToken],
      clock,
      logger,
      observer: this.#observer,
      take: (body, events, receivedAtMs) => this.#ledger.intake.take(body, events, receivedAtMs),
      health: () => this.#health(),
      readiness: () => this.#readiness(),
    });
    return { url: `${await listenOn(this.#http, host, port)}/webhook`, apiUrl };
  }

  /** Ends every call and tells WhatsApp, which is waited for, but not for ever. */
  async endCalls(): Promise<void> {
    const { timers, logger } = this.#context;
    const { registry } = this;
    registry.refuseNewCalls();
    const timer = timers.setTimer(END_GRACE_MS, () => {
      logger.warn({ calls: registry.size }, "closing without WhatsApp's word on the ends of calls");
      registry.abandonAll();
    });
    await registry.endAll();
    timers.clearTimer(timer);
  }

  /** Releases every socket and the store. What is written before is delivered first, up to a limit. */
  async close(): Promise<void> {
    await this.#http?.close();
    await this.#services.closeApi();
    await this.#ledger.settle();
    await this.#services.stop();
    await this.#parts.opened.store.close();
    this.#metrics?.close();
    await this.#graphs.close();
  }

  #createRegistry(): CallRegistry {
    const { media, sources, slices, handler } = this.#parts;
    return new CallRegistry({
      context: {
        ...this.#context,
        media,
        sources,
        slices,
        recordingsFolder: this.#recordingsFolder,
        call: this.#options.call ?? {},
        handler,
        observer: this.#observer,
      },
      graphFor: (phoneNumberId) => this.#graphs.of(phoneNumberId),
      maxCalls: this.#options.maxCalls ?? DEFAULT_MAX_CALLS,
    });
  }

  #apiContext({ publicUrl, trustedProxies, allowedOrigins }: ApiListenOptions): ApiContext {
    const { requests = {}, soundsFolder = null } = this.#options;
    const metrics = this.#metrics;
    return {
      ...this.#context,
      store: this.#parts.opened.store,
      liveCalls: this.registry,
      recordingsFolder: this.#recordingsFolder,
      soundsFolder,
      requests,
      requestPolicy: createRequestPolicy(requests),
      publicUrl: publicUrl ?? null,
      ...(trustedProxies !== undefined && { trustedProxies }),
      ...(allowedOrigins !== undefined && { allowedOrigins }),
      health: () => this.#health(),
      readiness: () => this.#readiness(),
      ...(metrics !== null && { metricsText: () => metrics.text() }),
      drain: this.#parts.drain,
      observer: this.#observer,
    };
  }

  #createMetrics(): Metrics {
    const { opened, status } = this.#parts;
    const { store } = opened;
    const sources = {
      version: VERSION,
      maxCalls: this.#options.maxCalls ?? DEFAULT_MAX_CALLS,
      status,
      callsByPhase: () => this.registry.phases(),
      queues: () => ({
        webhook_events: this.#ledger.intake.waiting,
        call_records: this.#ledger.records.writer.waiting,
      }),
      backlog: () => store.journal.backlog(),
      deliveries: () => store.outbox.counts(),
      endpoints: () => this.#endpoints(),
      isStoreWritable: () => this.#ledger.isWritable(),
      freeBytes: () => freeBytesAt(dirname(this.#recordingsFolder)),
    };
    return createMetrics(sources, this.#context);
  }

  async #endpoints(): Promise<{ readonly open: number; readonly disabled: number }> {
    const endpoints = await this.#parts.opened.store.endpoints.list();
    const tried = this.#services.deliveries.status().endpoints;
    return {
      open: tried.filter(({ breaker }) => breaker !== "closed").length,
      disabled: endpoints.filter(({ state }) => state === "disabled").length,
    };
  }

  #health(): GatewayHealth {
    const { state } = this.#parts.status();
    return { status: state === "running" ? "ok" : "draining", calls: this.registry.size };
  }

  async #readiness(): Promise<Readiness> {
    const reasons: string[] = [];
    if (this.#parts.status().state !== "running") reasons.push("draining");
    if (!(await this.#ledger.isWritable())) reasons.push("store_unavailable");
    return { ready: reasons.length === 0, reasons };
  }

  get #recordingsFolder(): string {
    return this.#options.recordingsFolder ?? RECORDINGS_FOLDER;
  }
}
