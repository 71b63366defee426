import { Counter, Histogram, type Registry } from "prom-client";
import { REQUEST_SECONDS } from "./buckets.ts";

/** Requests to the control API, deliveries to endpoints, and what the store could not do. */
export class ApiMetrics {
  readonly #requests: Histogram<"method" | "route" | "status">;
  readonly #deliveries: Histogram<"outcome">;
  readonly #storeErrors: Counter<"reason">;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#requests = new Histogram({
      name: "ringback_api_request_seconds",
      help: "Requests to the control API, by route and status. Streams count when they end.",
      labelNames: ["method", "route", "status"],
      buckets: REQUEST_SECONDS,
      registers,
    });
    this.#deliveries = new Histogram({
      name: "ringback_delivery_attempt_seconds",
      help: "Attempts to deliver an event to an endpoint, by outcome.",
      labelNames: ["outcome"],
      buckets: REQUEST_SECONDS,
      registers,
    });
    this.#storeErrors = new Counter({
      name: "ringback_store_errors_total",
      help: "What the store could not do, by the reason of STORE_UNAVAILABLE (docs/errors.md).",
      labelNames: ["reason"],
      registers,
    });
  }

  apiRequest(method: string, route: string, status: number, ms: number): void {
    this.#requests.observe({ method, route, status: `${status}` }, ms / 1_000);
  }

  deliveryAttempt(outcome: string, ms: number): void {
    this.#deliveries.observe({ outcome }, ms / 1_000);
  }

  storeFailed(reason: string): void {
    this.#storeErrors.inc({ reason });
  }
}
