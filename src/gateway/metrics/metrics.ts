import { Counter, Registry } from "prom-client";
import type { CallAction } from "../../core/call/types.ts";
import type { RingbackError } from "../../errors.ts";
import type { Clock } from "../../platform/clock.ts";
import { LoopDelayMonitor, readProcessStats } from "../../platform/process-stats.ts";
import type { Timers } from "../../platform/timers.ts";
import type { EndedCall, GatewayObserver } from "../observer.ts";
import { ApiMetrics } from "./api-metrics.ts";
import { CallMetrics } from "./call-metrics.ts";
import { GatewayGauges } from "./gateway-gauges.ts";
import { Labels } from "./labels.ts";
import { MediaGauges } from "./media-gauges.ts";
import { ProcessGauges } from "./process-gauges.ts";
import { RequestMetrics } from "./request-metrics.ts";
import { SoundMetrics } from "./sound-metrics.ts";
import type { MetricSources } from "./sources.ts";
import { StoreGauges } from "./store-gauges.ts";

/** A store that is stuck must not hold up who wants to know of it. */
const SOURCE_TIMEOUT_MS = 1_000;

/** Makes the metrics of one gateway, in a registry of their own. Give them to the gateway as an observer; close them with it. */
export function createMetrics(sources: MetricSources, deps: { clock: Clock; timers: Timers }): Metrics {
  return new Metrics(sources, deps);
}

/** Counts what the gateway does, and asks around when somebody wants to know. Never waits for anything while a call is served. */
export class Metrics implements GatewayObserver {
  readonly #registry = new Registry();
  readonly #labels = new Labels();
  readonly #loop = new LoopDelayMonitor();
  readonly #calls: CallMetrics = new CallMetrics(this.#registry, this.#labels);
  readonly #sound: SoundMetrics = new SoundMetrics(this.#registry);
  readonly #requests: RequestMetrics = new RequestMetrics(this.#registry, this.#labels);
  readonly #api: ApiMetrics = new ApiMetrics(this.#registry);
  readonly #media: MediaGauges = new MediaGauges(this.#registry);
  readonly #process: ProcessGauges = new ProcessGauges(this.#registry);
  readonly #gateway: GatewayGauges;
  readonly #store: StoreGauges;
  readonly #missing: Counter<"source">;
  readonly #sources: MetricSources;
  readonly #timers: Timers;
  #collecting: Promise<string> | null = null;

  constructor(sources: MetricSources, { clock, timers }: { clock: Clock; timers: Timers }) {
    this.#sources = sources;
    this.#timers = timers;
    this.#gateway = new GatewayGauges(this.#registry, sources);
    this.#store = new StoreGauges(this.#registry, clock);
    this.#missing = new Counter({
      name: "ringback_metrics_missing_total",
      help: "Values that were asked for and did not come, by source.",
      labelNames: ["source"],
      registers: [this.#registry],
    });
  }

  /** Prometheus' text format, version 0.0.4. Whoever asks while it is being made gets the same. Never rejects. */
  async text(): Promise<{ readonly contentType: string; readonly text: string }> {
    this.#collecting ??= this.#collect().finally(() => {
      this.#collecting = null;
    });
    return { contentType: this.#registry.contentType, text: await this.#collecting };
  }

  close(): void {
    this.#loop.close();
  }

  webhookAnswered(status: number, ms: number): void {
    this.#requests.webhookAnswered(status, ms);
  }

  webhookEvent(event: string, lagMs: number | null): void {
    this.#requests.webhookEvent(event, lagMs);
  }

  callStarted(_recordId: string, phoneNumberId: string): void {
    this.#calls.started(phoneNumberId);
  }

  graphRequest(action: CallAction, ms: number, error: RingbackError | null): void {
    this.#requests.graphRequest(action, ms, error);
  }

  callEnded(call: EndedCall): void {
    this.#calls.ended(call);
    if (call.stats !== null) this.#sound.ended(call.stats);
  }

  apiRequest(method: string, route: string, status: number, ms: number): void {
    this.#api.apiRequest(method, route, status, ms);
  }

  deliveryAttempt(outcome: "delivered" | "failed" | "gone", ms: number): void {
    this.#api.deliveryAttempt(outcome, ms);
  }

  storeFailed(reason: string): void {
    this.#api.storeFailed(reason);
  }

  async #collect(): Promise<string> {
    const ask = <T>(name: string, question: (() => Promise<T>) | undefined) => this.#ask(name, question);
    const stats = await ask("process", readProcessStats);
    if (stats !== null) this.#process.update(stats, this.#loop.take());
    await ask("gateway", async () => this.#gateway.update(this.#sources));
    await ask("media", async () => this.#media.update(this.#sources.status().media));
    await this.#store.update(this.#sources, ask);
    return this.#registry.metrics();
  }

  /** Null, and counted, when the answer is an error or too late. */
  async #ask<T>(source: string, question: (() => Promise<T>) | undefined): Promise<T | null> {
    if (question === undefined) return null;
    const { promise, stop } = this.#deadline();
    try {
      return await Promise.race([question(), promise]);
    } catch {
      this.#missing.inc({ source });
      return null;
    } finally {
      stop();
    }
  }

  #deadline(): { readonly promise: Promise<never>; readonly stop: () => void } {
    let fail = (_error: Error): void => {};
    const promise = new Promise<never>((_resolve, reject) => {
      fail = reject;
    });
    const timer = this.#timers.setTimer(SOURCE_TIMEOUT_MS, () => fail(new Error("too late")));
    return { promise, stop: () => this.#timers.clearTimer(timer) };
  }
}
