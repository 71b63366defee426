import type { FastifyInstance } from "fastify";
import { createRequestPolicy, type RequestOptions } from "../platform/outgoing-request.ts";
import type { RetentionPolicy, Store } from "../store/types.ts";
import type { ApiContext } from "./api/context.ts";
import { createApiServer } from "./api/server.ts";
import { createDeliveries, type Deliveries, ensureConfiguredEndpoint } from "./delivery/index.ts";
import type { GatewayContext } from "./gateway-context.ts";
import { listenOn } from "./http.ts";
import type { GatewayObserver } from "./observer.ts";
import { type Retention, startRetention } from "./retention/start-retention.ts";

/** Where the control API listens. */
export interface ApiListenOptions {
  /** TCP port; 0 takes any free one. Default 3001. */
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Origin that its links begin with, as programs reach it: `https://ringback.example.com`. Default: links are paths. */
  readonly publicUrl?: string;
  /** Proxies whose `X-Forwarded-For` is believed: addresses, or `10.0.0.0/8`. Default none. */
  readonly trustedProxies?: readonly string[];
  /** Origins of web pages that may open the stream of events, beside its own: `https://console.example.com`. Default none. */
  readonly allowedOrigins?: readonly string[];
}

export interface ServicesOptions extends GatewayContext {
  readonly store: Store;
  readonly observer: GatewayObserver;
  readonly requests: RequestOptions;
  readonly recordingsFolder: string;
  readonly retention: Partial<RetentionPolicy>;
  /** Null: no endpoint but those that are made over the API. */
  readonly events: { readonly url: string; readonly secret: string } | null;
}

/** What goes on beside the calls: delivery of events, retention, the control API. Nothing of it ever holds a call up. */
export class Services {
  readonly deliveries: Deliveries;
  readonly #options: ServicesOptions;
  #api: FastifyInstance | null = null;
  #retention: Retention | null = null;

  constructor(options: ServicesOptions) {
    const { observer } = options;
    this.#options = options;
    this.deliveries = createDeliveries({
      ...options,
      requests: createRequestPolicy(options.requests),
      mayDeliver: () => options.store.mayDeliver(),
      onAttempt: (outcome, ms) => observer.deliveryAttempt?.(outcome, ms),
    });
  }

  /** @throws {RingbackError} `OPTION_INVALID` for the endpoint; `STORE_UNAVAILABLE`. */
  async start(): Promise<void> {
    const { store, events, clock } = this.#options;
    await ensureConfiguredEndpoint(store, events, { clock });
    this.deliveries.start();
    this.#retention = startRetention({ ...this.#options, policy: this.#options.retention });
  }

  /**
   * Opens the control API and resolves with its origin.
   * @throws {RingbackError} `OPTION_INVALID` when the port or the address cannot be had.
   */
  async openApi(context: ApiContext, { host = "127.0.0.1", port = 3001 }: ApiListenOptions): Promise<string> {
    this.#api = createApiServer(context);
    return listenOn(this.#api, host, port, "api.");
  }

  /** The API takes nothing more: commands would find no call. */
  async closeApi(): Promise<void> {
    await this.#api?.close();
  }

  /** Waits for what is being delivered, up to a limit; the rest is delivered after the next start. */
  async stop(): Promise<void> {
    await Promise.all([this.deliveries.stop(), this.#retention?.stop()]);
  }
}
