import { Counter, Histogram, type Registry } from "prom-client";
import type { CallAction } from "../../core/call/types.ts";
import type { RingbackError } from "../../errors.ts";
import { ANSWER_SECONDS, LAG_SECONDS, REQUEST_SECONDS } from "./buckets.ts";
import { eventLabel, type Labels } from "./labels.ts";

/** Requests in both directions: WhatsApp's webhooks, and ours to the Graph API. */
export class RequestMetrics {
  readonly #labels: Labels;
  readonly #webhook: Histogram<"status">;
  readonly #lag: Histogram<"event">;
  readonly #graph: Histogram<"action">;
  readonly #graphErrors: Counter<"action" | "code" | "graph_code">;

  constructor(registry: Registry, labels: Labels) {
    const registers = [registry];
    this.#labels = labels;
    this.#webhook = new Histogram({
      name: "ringback_webhook_answer_seconds",
      help: "From a webhook's last byte to its answer, the journal included, by HTTP status.",
      labelNames: ["status"],
      buckets: ANSWER_SECONDS,
      registers,
    });
    this.#lag = new Histogram({
      name: "ringback_webhook_lag_seconds",
      help: "From WhatsApp's timestamp of an event (whole seconds) to acting upon it.",
      labelNames: ["event"],
      buckets: LAG_SECONDS,
      registers,
    });
    this.#graph = new Histogram({
      name: "ringback_graph_request_seconds",
      help: "Requests to the Graph API, retries included, by action.",
      labelNames: ["action"],
      buckets: REQUEST_SECONDS,
      registers,
    });
    this.#graphErrors = new Counter({
      name: "ringback_graph_errors_total",
      help: "Requests to the Graph API that failed, by Ringback's code (docs/errors.md) and Meta's.",
      labelNames: ["action", "code", "graph_code"],
      registers,
    });
  }

  webhookAnswered(status: number, ms: number): void {
    this.#webhook.observe({ status: `${status}` }, ms / 1_000);
  }

  webhookEvent(event: string, lagMs: number | null): void {
    if (lagMs !== null) this.#lag.observe({ event: eventLabel(event) }, Math.max(0, lagMs) / 1_000);
  }

  graphRequest(action: CallAction, ms: number, error: RingbackError | null): void {
    this.#graph.observe({ action }, ms / 1_000);
    if (error !== null) this.#graphErrors.inc(this.#labels.graphError(action, error));
  }
}
