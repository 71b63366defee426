import { Gauge, type Registry } from "prom-client";
import type { Clock } from "../../platform/clock.ts";
import type { MetricSources } from "./sources.ts";

/** A value that has to be asked for, and may not come. */
export type Ask = <T>(source: string, question: (() => Promise<T>) | undefined) => Promise<T | null>;

/** What the store holds, and whether it works. A value that could not be had is left out, not stale. */
export class StoreGauges {
  readonly #clock: Clock;
  readonly #up: Gauge;
  readonly #backlog: Gauge;
  readonly #age: Gauge;
  readonly #deliveries: Gauge<"state">;
  readonly #endpoints: Gauge<"state">;
  readonly #freeBytes: Gauge;

  constructor(registry: Registry, clock: Clock) {
    const gauge = (name: string, help: string): Gauge => new Gauge({ name, help, registers: [registry] });
    const byState = (name: string, help: string): Gauge<"state"> => {
      return new Gauge({ name, help, labelNames: ["state"], registers: [registry] });
    };
    this.#clock = clock;
    this.#up = gauge("ringback_store_up", "1: the store could be written when this was asked for.");
    this.#backlog = gauge(
      "ringback_journal_backlog",
      "Events of webhooks that were answered and not finished.",
    );
    this.#age = gauge("ringback_journal_oldest_age_seconds", "Age of the oldest of them; 0 without any.");
    this.#deliveries = byState("ringback_deliveries", "Deliveries of events in the store, by state.");
    this.#endpoints = byState(
      "ringback_endpoints_unwell",
      "Endpoints left alone for a while (open), or disabled.",
    );
    this.#freeBytes = gauge("ringback_data_free_bytes", "Free space where the data folder is.");
  }

  async update(sources: MetricSources, ask: Ask): Promise<void> {
    await Promise.all([
      this.#updateUp(sources, ask),
      this.#updateBacklog(sources, ask),
      this.#updateOutbox(sources, ask),
      this.#updateFreeBytes(sources, ask),
    ]);
  }

  async #updateUp({ isStoreWritable }: MetricSources, ask: Ask): Promise<void> {
    if (isStoreWritable === undefined) return;
    // No answer is an answer, too.
    this.#up.set((await ask("store", isStoreWritable)) === true ? 1 : 0);
  }

  async #updateBacklog({ backlog }: MetricSources, ask: Ask): Promise<void> {
    const now = this.#clock.wallMs();
    const said = await ask("journal", backlog);
    setOrRemove(this.#backlog, said?.count);
    const since = said?.oldestReceivedAt ?? now;
    setOrRemove(this.#age, said === null ? undefined : Math.max(0, now - since) / 1_000);
  }

  async #updateOutbox({ deliveries, endpoints }: MetricSources, ask: Ask): Promise<void> {
    const [counts, unwell] = await Promise.all([ask("outbox", deliveries), ask("endpoints", endpoints)]);
    this.#deliveries.reset();
    for (const [state, count] of Object.entries(counts ?? {})) this.#deliveries.set({ state }, count);
    this.#endpoints.reset();
    for (const [state, count] of Object.entries(unwell ?? {})) this.#endpoints.set({ state }, count);
  }

  async #updateFreeBytes({ freeBytes }: MetricSources, ask: Ask): Promise<void> {
    setOrRemove(this.#freeBytes, (await ask("disk", freeBytes)) ?? undefined);
  }
}

function setOrRemove(gauge: Gauge, value: number | undefined): void {
  if (value === undefined) gauge.remove();
  else gauge.set(value);
}
