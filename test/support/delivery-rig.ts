import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach } from "vitest";
import { verifyWebhook } from "../../src/core/delivery/webhook-signature.ts";
import type { EventEnvelope } from "../../src/core/events/event-types.ts";
import { createId } from "../../src/core/events/id.ts";
import {
  createDeliveries,
  type Deliveries,
  type DeliveriesOptions,
} from "../../src/gateway/delivery/index.ts";
import type { Logger } from "../../src/logger.ts";
import { createRequestPolicy, type RequestOptions } from "../../src/platform/outgoing-request.ts";
import { systemTimers } from "../../src/platform/timers.ts";
import { openStore } from "../../src/store/index.ts";
import type { Delivery, NewEvent, Store, WebhookEndpoint } from "../../src/store/types.ts";
import { ManualClock, SeededRandom } from "../../src/testing/index.ts";
import { type HttpRig, type SeenRequest, startHttpRig } from "./http-rig.ts";

export const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
export const OTHER_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

export interface LogLine {
  readonly level: string;
  readonly fields: object;
  readonly message: string;
}

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** The outbox and its deliveries, with a store on the disk, servers on 127.0.0.1, and time that is moved by hand. */
export class DeliveryRig {
  readonly clock = new ManualClock();
  readonly random = new SeededRandom(1);
  readonly lines: LogLine[] = [];
  readonly store: Store;
  deliveries: Deliveries;
  readonly #options: RigOptions;

  private constructor(store: Store, clock: ManualClock, options: RigOptions) {
    this.store = options.wrapStore?.(store) ?? store;
    this.clock = clock;
    this.#options = options;
    this.deliveries = this.#create();
  }

  static async open(options: RigOptions = {}): Promise<DeliveryRig> {
    const folder = mkdtempSync(join(tmpdir(), "ringback-delivery-"));
    const clock = new ManualClock();
    const deps = { clock, timers: systemTimers, random: new SeededRandom(2).bytes, logger: silent(() => {}) };
    const store = await openStore({ file: join(folder, "ringback.db"), node: "test" }, deps);
    const rig = new DeliveryRig(store, clock, options);
    cleanups.push(async () => {
      await rig.stop();
      await store.close();
      rmSync(folder, { recursive: true });
    });
    return rig;
  }

  /** Other deliveries with the same store, as after a restart of the process. */
  restart(): void {
    this.deliveries = this.#create();
    this.deliveries.start();
  }

  async stop(): Promise<void> {
    const stopped = this.deliveries.stop();
    let isStopped = false;
    void stopped.then(() => {
      isStopped = true;
    });
    while (!isStopped) await this.pass(100);
  }

  async addEndpoint(url: string, change: Partial<WebhookEndpoint> = {}): Promise<string> {
    const id = createId("whe", this.clock.wallMs(), this.random.bytes);
    await this.store.endpoints.create({
      id,
      url,
      types: null,
      phoneNumberId: null,
      secrets: [{ secret: SECRET, expiresAt: null }],
      state: "enabled",
      disabledReason: null,
      description: "",
      createdAt: this.clock.wallMs(),
      ...change,
    });
    return id;
  }

  /** A call and its events. @returns Its id. */
  async addCall(events: number): Promise<string> {
    const createdAt = this.clock.wallMs();
    const callId = createId("call", createdAt, this.random.bytes);
    const party = { number: "15550001111", userId: null, name: null, username: null };
    await this.store.calls.commit({
      callId,
      create: {
        id: callId,
        callKey: callId,
        phoneNumberId: "100000000000001",
        whatsappCallId: null,
        direction: "inbound",
        state: "ringing",
        party,
        node: "test",
        createdAt,
      },
      events: Array.from({ length: events }, () => this.event()),
    });
    return callId;
  }

  event(): NewEvent {
    const at = this.clock.wallMs();
    const id = createId("evt", at, this.random.bytes);
    return { id, type: "call.tagged", at, data: { tags: { name: "grüße" } }, personal: null };
  }

  /** Time goes on by steps until it is so. What is under way has its own, real time. */
  async until(isSo: () => boolean | Promise<boolean>, stepMs = 500): Promise<void> {
    while (!(await isSo())) await this.pass(stepMs);
  }

  async pass(ms: number): Promise<void> {
    await nextTurn();
    if (this.deliveries.status().inFlight === 0) this.clock.stall(ms);
    else this.clock.stall(1);
  }

  /** Time goes on to the next attempt of an endpoint, again and again, until nothing waits for it. */
  async exhaust(endpointId: string): Promise<void> {
    for (;;) {
      const nextAt = await this.store.outbox.nextAt(endpointId);
      if (nextAt === null) return;
      await this.pass(Math.max(1_000, nextAt - this.clock.wallMs()));
    }
  }

  async deliveriesOf(endpointId: string): Promise<readonly Delivery[]> {
    return (await this.store.outbox.list({ endpointId }, { limit: 10_000 })).items;
  }

  async countOf(endpointId: string, state: Delivery["state"]): Promise<number> {
    return (await this.deliveriesOf(endpointId)).filter((delivery) => delivery.state === state).length;
  }

  #create(): Deliveries {
    const { allowedHosts = ["127.0.0.1"], resolve, ca, ...options } = this.#options;
    const requests = createRequestPolicy({
      allowHttp: true,
      allowedHosts,
      timeoutMs: 300_000,
      ...(resolve === undefined ? {} : { resolve }),
      ...(ca === undefined ? {} : { ca }),
    });
    return createDeliveries({
      store: this.store,
      clock: this.clock,
      timers: this.clock,
      random: this.random.bytes,
      logger: silent((line) => this.lines.push(line)),
      requests,
      ...options,
    });
  }
}

export interface RigOptions
  extends Partial<Omit<DeliveriesOptions, "requests" | "store">>,
    Pick<RequestOptions, "allowedHosts" | "resolve" | "ca"> {
  readonly wrapStore?: (store: Store) => Store;
}

/** An envelope as it came in, with its headers. */
export interface Taken {
  readonly event: EventEnvelope;
  readonly headers: SeenRequest["headers"];
  readonly body: string;
}

export interface Consumer extends HttpRig {
  /** Every request, in the order of arrival. */
  readonly requests: Taken[];
  /** Those that were answered with 2xx. */
  readonly accepted: Taken[];
}

/** What a consumer does with a request: a status, or null when it has answered by itself, or never does. */
export type Answer = (...request: Parameters<Parameters<typeof startHttpRig>[0]>) => number | null;

export async function startConsumer(
  answer: Answer = () => 204,
  tls: Parameters<typeof startHttpRig>[1] = null,
): Promise<Consumer> {
  const requests: Taken[] = [];
  const accepted: Taken[] = [];
  const rig = await startHttpRig((seen, response, incoming) => {
    const taken = { event: JSON.parse(seen.body) as EventEnvelope, headers: seen.headers, body: seen.body };
    requests.push(taken);
    const status = answer(seen, response, incoming);
    if (status !== null && status >= 200 && status <= 299) accepted.push(taken);
    if (status !== null) response.writeHead(status).end();
  }, tls);
  return { ...rig, requests, accepted };
}

/** Each call's events were accepted from 1 on without a gap or a step back; repetitions of the last one are allowed. */
export function findDisorder(accepted: readonly Taken[]): readonly string[] {
  const last = new Map<string | null, number>();
  const faults: string[] = [];
  for (const { event } of accepted) {
    const before = last.get(event.call_id) ?? 0;
    if (event.seq !== before && event.seq !== before + 1) faults.push(`${event.seq} after ${before}`);
    last.set(event.call_id, event.seq);
  }
  return faults;
}

/** @returns The fault; null when it is genuine. */
export function verifyTaken({ headers, body }: Taken, nowMs: number, secret: string = SECRET): string | null {
  const texts = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
  return verifyWebhook(texts, body, { secrets: [secret], nowMs });
}

function silent(onLine: (line: LogLine) => void): Logger {
  const at = (level: string) => (fields: object, message: string) => onLine({ level, fields, message });
  const logger: Logger = {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: () => logger,
  };
  return logger;
}
