import { type BreakerTicket, CircuitBreaker } from "../../core/delivery/circuit-breaker.ts";
import { boundedRetryAfter, RETRY_LIMIT_MS } from "../../core/delivery/retry-schedule.ts";
import { RequestPool } from "../../platform/outgoing-pool.ts";
import { randomUint32 } from "../../platform/random.ts";
import type { TimerHandle } from "../../platform/timers.ts";
import type { DueDelivery, WebhookEndpoint } from "../../store/types.ts";
import { type AttemptOutcome, attemptDelivery } from "./attempt.ts";
import { expired, resultOf } from "./delivery-result.ts";
import { EndpointLog } from "./endpoint-log.ts";
import type { Settlements } from "./settlements.ts";
import type { StoreAccess } from "./store-access.ts";
import type { DeliveriesOptions, EndpointDeliveryStatus } from "./types.ts";

/** How long until the store is asked again when it cannot be said when there is something to do, in ms. */
const LOOK_AGAIN_MS = 1_000;
/** At most so long, as the wall clock may be set in between. */
const LONGEST_WAIT_MS = 60_000;
/** Deliveries of an endpoint that has failed for a day, given up at a time. */
const MAX_EXPIRED = 100;

export interface EndpointQueueDeps extends DeliveriesOptions {
  readonly timeoutMs: number;
  readonly concurrency: number;
  readonly access: StoreAccess;
  readonly settlements: Settlements;
  /** Wall time that never goes back: what deliveries wait for. */
  readonly steadyWallMs: () => number;
  /** Attempts are called off. */
  readonly signal: AbortSignal;
}

interface Counters {
  delivered: number;
  failed: number;
  dead: number;
}

/**
 * Delivers the events of one endpoint: those of different calls side by side, those of one call one after the other.
 *
 * What is in memory is what is under way. Each delivery keeps its place until its result is in the store: what was not written would
 * be sent again.
 */
export class EndpointQueue {
  readonly #id: string;
  readonly #deps: EndpointQueueDeps;
  readonly #counters: Counters;
  readonly #log: EndpointLog;
  readonly #breaker: CircuitBreaker = new CircuitBreaker();
  readonly #pool: RequestPool;
  /** By the id of the delivery. */
  readonly #inFlight = new Map<string, { readonly callId: string | null; readonly work: Promise<void> }>();
  readonly #own: Counters = { delivered: 0, failed: 0, dead: 0 };
  #timer: TimerHandle | null = null;
  #isWanted = false;
  #isPumping = false;
  #isHeld = false;
  #isClosed = false;

  /** @param counters What all endpoints count together. */
  constructor(id: string, deps: EndpointQueueDeps, counters: Counters) {
    this.#id = id;
    this.#deps = deps;
    this.#counters = counters;
    this.#log = new EndpointLog(deps.logger, deps.clock, id);
    this.#pool = new RequestPool({ policy: deps.requests, maxIdle: deps.concurrency });
  }

  status(): EndpointDeliveryStatus {
    return {
      endpointId: this.#id,
      breaker: this.#breaker.state(this.#deps.clock.nowMs()),
      inFlight: this.#inFlight.size,
      connections: this.#pool.connections,
      ...this.#own,
    };
  }

  /** There may be something to do. */
  wake(): void {
    this.#isWanted = true;
    if (this.#isPumping || this.#isClosed) return;
    this.#isPumping = true;
    void this.#pumpWhileWanted();
  }

  /** Begins nothing more. Resolves when nothing is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#clearTimer();
    while (this.#inFlight.size > 0) await Promise.all([...this.#inFlight.values()].map(({ work }) => work));
    this.#pool.closeIdle();
  }

  async #pumpWhileWanted(): Promise<void> {
    // Results that were written together free their places together.
    await Promise.resolve();
    while (this.#isWanted && !this.#isClosed) {
      this.#isWanted = false;
      this.#clearTimer();
      const waitMs = await this.#pump();
      if (waitMs !== null && !this.#isWanted) this.#wakeLater(waitMs);
    }
    this.#isPumping = false;
  }

  /** @returns After what time to look again; null: when something happens. */
  async #pump(): Promise<number | null> {
    const { clock, store, access, steadyWallMs, concurrency, mayDeliver = () => true } = this.#deps;
    if (this.#isHeld || this.#inFlight.size >= concurrency || !mayDeliver()) return null;
    if (this.#breaker.room(clock.nowMs()) === 0) return this.#breaker.waitMs(clock.nowMs()) || null;
    const underWay = new Set(this.#inFlight.keys());
    const callIds = [...this.#inFlight.values()].flatMap(({ callId }) => callId ?? []);
    const withoutCall = this.#inFlight.size - callIds.length;
    const limit = concurrency - this.#inFlight.size + withoutCall;
    const read = await access.once(async () => {
      const options = { at: steadyWallMs(), limit, exceptCallIds: callIds };
      return Promise.all([store.endpoints.get(this.#id), store.outbox.due(this.#id, options)]);
    });
    if (read === null) return LOOK_AGAIN_MS;
    const [endpoint, due] = read.value;
    if (endpoint === null || endpoint.state !== "enabled") {
      this.#pool.closeIdle();
      return null;
    }
    const ready = due.filter(({ id }) => !underWay.has(id));
    if (await this.#giveUpExpired(ready)) return 0;
    const begun = this.#beginAll(ready, endpoint);
    if (begun < ready.length) return this.#breaker.waitMs(clock.nowMs()) || null;
    return this.#inFlight.size >= concurrency ? null : this.#untilNext();
  }

  /** As many as there is room for. @returns How many. */
  #beginAll(ready: readonly DueDelivery[], endpoint: WebhookEndpoint): number {
    const { clock, concurrency } = this.#deps;
    for (const [index, delivery] of ready.entries()) {
      const hasRoom = this.#inFlight.size < concurrency && this.#breaker.room(clock.nowMs()) > 0;
      if (!hasRoom || this.#isClosed || this.#isHeld) return index;
      const ticket = this.#breaker.begin(clock.nowMs());
      const work = this.#deliver(delivery, endpoint, ticket)
        .catch((error: unknown) => this.#deps.logger.error({ err: error }, "a delivery broke off"))
        .finally(() => {
          this.#inFlight.delete(delivery.id);
          this.wake();
        });
      this.#inFlight.set(delivery.id, { callId: delivery.callId, work });
    }
    return ready.length;
  }

  async #untilNext(): Promise<number | null> {
    // The earliest one is under way itself, and tells nothing of those behind it.
    if (this.#inFlight.size > 0) return LOOK_AGAIN_MS;
    const next = await this.#deps.access.once(() => this.#deps.store.outbox.nextAt(this.#id));
    if (next === null) return LOOK_AGAIN_MS;
    if (next.value === null) return null;
    const aheadMs = next.value - this.#deps.steadyWallMs();
    // One that is due and was not given has no event any more.
    return aheadMs <= 0 ? LOOK_AGAIN_MS : Math.min(aheadMs, LONGEST_WAIT_MS);
  }

  async #deliver(delivery: DueDelivery, endpoint: WebhookEndpoint, ticket: BreakerTicket): Promise<void> {
    const { clock, random, settlements, access, steadyWallMs } = this.#deps;
    const startedMs = clock.nowMs();
    const outcome = await attemptDelivery(delivery, endpoint, { ...this.#deps, pool: this.#pool });
    if (outcome === null) return this.#breaker.abandoned(ticket);
    this.#deps.onAttempt?.(outcome.verdict, clock.nowMs() - startedMs);
    this.#judge(outcome, ticket);
    if (outcome.verdict === "gone") await this.#disable();
    const result = resultOf(delivery, outcome, steadyWallMs(), randomUint32(random) / 2 ** 32);
    if ((await access.until(() => settlements.settle(result))) === null) return;
    if (result.state === "delivered") this.#count("delivered");
    if (result.state === "dead") this.#gaveUp(1);
  }

  #judge(outcome: AttemptOutcome, ticket: BreakerTicket): void {
    const nowMs = this.#deps.clock.nowMs();
    if (outcome.verdict === "delivered") this.#breaker.succeeded(ticket);
    else if (outcome.verdict === "gone") this.#breaker.abandoned(ticket);
    else {
      this.#count("failed");
      this.#breaker.failed(ticket, nowMs);
      if (outcome.retryAfterMs !== null) this.#breaker.pause(nowMs + boundedRetryAfter(outcome.retryAfterMs));
    }
    this.#log.attempted(outcome, this.#breaker.state(nowMs));
  }

  /** Nothing begins until the store knows that the endpoint wants no more. */
  async #disable(): Promise<void> {
    if (this.#isHeld) return;
    this.#isHeld = true;
    this.#log.gone();
    const change = { state: "disabled", disabledReason: "gone" } as const;
    await this.#deps.access.until(() => this.#deps.store.endpoints.update(this.#id, change));
    this.#isHeld = false;
  }

  /** An endpoint that has failed for a day gets a probe now and then, which is no way to try thousands. @returns True when some were. */
  async #giveUpExpired(ready: readonly DueDelivery[]): Promise<boolean> {
    const { clock, store, access, steadyWallMs } = this.#deps;
    const sinceMs = this.#breaker.failingSinceMs;
    const isDown = this.#breaker.state(clock.nowMs()) !== "closed";
    if (!isDown || sinceMs === null || clock.nowMs() - sinceMs < RETRY_LIMIT_MS) return false;
    const now = steadyWallMs();
    const old = ready.filter(({ firstAt }) => now - firstAt >= RETRY_LIMIT_MS).slice(0, MAX_EXPIRED);
    if (old.length === 0) return false;
    const settled = await access.once(() =>
      Promise.all(old.map((delivery) => store.outbox.settle(expired(delivery, now)))),
    );
    if (settled !== null) this.#gaveUp(old.length);
    return settled !== null;
  }

  #gaveUp(count: number): void {
    this.#own.dead += count;
    this.#counters.dead += count;
    this.#log.gaveUp(count);
  }

  #count(what: "delivered" | "failed"): void {
    this.#own[what] += 1;
    this.#counters[what] += 1;
  }

  #wakeLater(ms: number): void {
    if (this.#isClosed) return;
    this.#timer = this.#deps.timers.setTimer(ms, () => {
      this.#timer = null;
      this.wake();
    });
  }

  #clearTimer(): void {
    if (this.#timer !== null) this.#deps.timers.clearTimer(this.#timer);
    this.#timer = null;
  }
}
