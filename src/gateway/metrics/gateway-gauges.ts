import { Counter, Gauge, type Registry } from "prom-client";
import type { RegistryCounters } from "../call-registry.ts";
import type { MetricSources } from "./sources.ts";

const STATES: readonly string[] = ["idle", "running", "draining", "closed"];

/** The gateway as it is now: its state, its calls, what waits, what it left alone. */
export class GatewayGauges {
  readonly #state: Gauge<"state">;
  readonly #calls: Gauge<"state">;
  readonly #queues: Gauge<"queue">;
  readonly #leftAlone: Counter<"why">;
  readonly #overLimit: Counter;

  constructor(registry: Registry, { version, maxCalls }: MetricSources) {
    const registers = [registry];
    this.#state = new Gauge({
      name: "ringback_gateway_state",
      help: "1 for the state that the gateway is in, 0 for the others.",
      labelNames: ["state"],
      registers,
    });
    this.#calls = new Gauge({
      name: "ringback_calls",
      help: "Calls on the line, by state.",
      labelNames: ["state"],
      registers,
    });
    this.#queues = new Gauge({
      name: "ringback_queue_depth",
      help: "What waits for its turn in the process, by queue.",
      labelNames: ["queue"],
      registers,
    });
    this.#leftAlone = new Counter({
      name: "ringback_webhook_events_left_alone_total",
      help: "Events of webhooks without an effect: repeated ones, those of other numbers, those without a use.",
      labelNames: ["why"],
      registers,
    });
    this.#overLimit = new Counter({
      name: "ringback_calls_over_limit_total",
      help: "Calls that were turned away: above the limit, or while draining.",
      registers,
    });
    setConstants(registry, version, maxCalls);
  }

  update({ status, callsByPhase, queues }: MetricSources): void {
    const { state, counters } = status();
    for (const each of STATES) this.#state.set({ state: each }, each === state ? 1 : 0);
    for (const [phase, calls] of Object.entries(callsByPhase())) this.#calls.set({ state: phase }, calls);
    for (const [queue, depth] of Object.entries(queues?.() ?? {})) this.#queues.set({ queue }, depth);
    this.#updateCounters(counters);
  }

  /** They are kept elsewhere: what is said there replaces what was known. */
  #updateCounters(counters: Readonly<RegistryCounters>): void {
    this.#leftAlone.reset();
    this.#leftAlone.inc({ why: "repeated" }, counters.eventsRepeated);
    this.#leftAlone.inc({ why: "unused" }, counters.eventsIgnored);
    this.#leftAlone.inc({ why: "other_number" }, counters.eventsOfOtherNumbers);
    this.#overLimit.reset();
    this.#overLimit.inc(counters.callsOverLimit);
  }
}

function setConstants(registry: Registry, version: string, maxCalls: number): void {
  const registers = [registry];
  const info = { name: "ringback_build_info", help: "Always 1; the label has the version." };
  new Gauge({ ...info, labelNames: ["version"], registers }).set({ version }, 1);
  const limit = { name: "ringback_calls_limit", help: "Calls at the same time that the gateway takes." };
  new Gauge({ ...limit, registers }).set(maxCalls);
}
