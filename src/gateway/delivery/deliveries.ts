import { setMaxListeners } from "node:events";
import { createSteadyWall } from "../../platform/clock.ts";
import type { TimerHandle, Timers } from "../../platform/timers.ts";
import type { DeliveryState } from "../../store/types.ts";
import { EndpointQueue, type EndpointQueueDeps } from "./endpoint-queue.ts";
import { Settlements } from "./settlements.ts";
import { StoreAccess } from "./store-access.ts";
import type { Deliveries, DeliveriesOptions, DeliveriesStatus } from "./types.ts";

/** Commits come by the hundred: the store is asked once for those of this time, in ms. */
const GATHER_MS = 10;
/** How old the list of endpoints may be when something was written, in ms. */
const LIST_MS = 250;
const COUNT_EVERY_MS = 30_000;

/** Delivers the outbox to webhook endpoints: signed, at least once, in order per call (docs/events.md). */
export function createDeliveries(options: DeliveriesOptions): Deliveries {
  return new Dispatcher(options);
}

class Dispatcher implements Deliveries {
  readonly #options: DeliveriesOptions;
  readonly #deps: EndpointQueueDeps;
  readonly #calledOff = new AbortController();
  readonly #queues = new Map<string, { readonly queue: EndpointQueue; isEnabled: boolean }>();
  readonly #closing = new Set<Promise<void>>();
  readonly #totals = { delivered: 0, failed: 0, dead: 0 };
  #counts: Readonly<Record<DeliveryState, number>> | null = null;
  #countedMs = Number.NEGATIVE_INFINITY;
  #listedMs = Number.NEGATIVE_INFINITY;
  #wokenMs = Number.NEGATIVE_INFINITY;
  #gathering: TimerHandle | null = null;
  #poll: TimerHandle | null = null;
  #unsubscribe: (() => void) | null = null;
  #listing: Promise<void> | null = null;
  #stopping: Promise<void> | null = null;

  constructor(options: DeliveriesOptions) {
    const { store, timers, logger, timeoutMs = 10_000, concurrency = 16 } = options;
    const { signal } = this.#calledOff;
    // Each attempt that is under way listens to it.
    setMaxListeners(0, signal);
    this.#options = options;
    this.#deps = {
      ...options,
      timeoutMs,
      concurrency,
      signal,
      access: new StoreAccess(timers, logger, signal),
      settlements: new Settlements(store.outbox, timers),
      steadyWallMs: createSteadyWall(options.clock),
    };
  }

  start(): void {
    if (this.#unsubscribe !== null || this.#stopping !== null) return;
    this.#unsubscribe = this.#options.store.events.onCommit(() => this.#gather());
    this.#pollNow();
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  status(): DeliveriesStatus {
    this.#refreshCounts();
    const endpoints = [...this.#queues.values()].map(({ queue }) => queue.status());
    const inFlight = endpoints.reduce((sum, endpoint) => sum + endpoint.inFlight, 0);
    return { queue: this.#counts, endpoints, inFlight, ...this.#totals };
  }

  #gather(): void {
    if (this.#gathering !== null || this.#stopping !== null) return;
    const { clock, timers } = this.#options;
    const waitMs = Math.max(0, this.#wokenMs + GATHER_MS - clock.nowMs());
    this.#gathering = timers.setTimer(waitMs, () => {
      this.#gathering = null;
      this.#wokenMs = clock.nowMs();
      void this.#wakeAll(LIST_MS);
    });
  }

  #pollNow(): void {
    const { timers, pollMs = 1_000 } = this.#options;
    this.#poll = timers.setTimer(pollMs, () => this.#pollNow());
    void this.#wakeAll(0);
  }

  /** @param maxAgeMs Of the list of endpoints. */
  async #wakeAll(maxAgeMs: number): Promise<void> {
    const { mayDeliver = () => true, clock } = this.#options;
    if (!mayDeliver()) return;
    if (clock.nowMs() - this.#listedMs >= maxAgeMs) {
      this.#listing ??= this.#list().finally(() => {
        this.#listing = null;
      });
      await this.#listing;
    }
    if (this.#stopping !== null) return;
    for (const { queue, isEnabled } of this.#queues.values()) if (isEnabled) queue.wake();
  }

  async #list(): Promise<void> {
    const startedMs = this.#options.clock.nowMs();
    const listed = await this.#deps.access.once(() => this.#options.store.endpoints.list());
    if (listed === null || this.#stopping !== null) return;
    this.#listedMs = startedMs;
    const ids = new Set(listed.value.map(({ id }) => id));
    for (const id of this.#queues.keys()) if (!ids.has(id)) this.#drop(id);
    for (const { id, state } of listed.value) {
      const known = this.#queues.get(id);
      const isEnabled = state === "enabled";
      if (known !== undefined) known.isEnabled = isEnabled;
      else this.#queues.set(id, { queue: new EndpointQueue(id, this.#deps, this.#totals), isEnabled });
    }
  }

  #drop(id: string): void {
    const queue = this.#queues.get(id)?.queue;
    this.#queues.delete(id);
    if (queue === undefined) return;
    const closed = queue.close().finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
  }

  async #stop(): Promise<void> {
    const { timers, stopLimitMs = 5_000 } = this.#options;
    this.#unsubscribe?.();
    for (const timer of [this.#poll, this.#gathering]) if (timer !== null) timers.clearTimer(timer);
    const closed = Promise.all([
      ...[...this.#queues.values()].map(({ queue }) => queue.close()),
      ...this.#closing,
    ]);
    await within(closed, stopLimitMs, timers);
    this.#calledOff.abort();
    // A store that never answers is not waited for.
    await within(closed, 1_000, timers);
  }

  /** Counting reads much: only while somebody looks, and not often. */
  #refreshCounts(): void {
    const { clock, store } = this.#options;
    if (this.#stopping !== null || clock.nowMs() - this.#countedMs < COUNT_EVERY_MS) return;
    this.#countedMs = clock.nowMs();
    void this.#deps.access.once(async () => {
      this.#counts = await store.outbox.counts();
    });
  }
}

/** Waits for work, up to a limit. */
function within(work: Promise<unknown>, limitMs: number, timers: Timers): Promise<void> {
  return new Promise((resolve) => {
    const timer = timers.setTimer(limitMs, resolve);
    void work.finally(() => {
      timers.clearTimer(timer);
      resolve();
    });
  });
}
