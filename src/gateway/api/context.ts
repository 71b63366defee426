import type { Logger } from "../../logger.ts";
import type { Clock } from "../../platform/clock.ts";
import type { RequestOptions, RequestPolicy } from "../../platform/outgoing-request.ts";
import type { Random } from "../../platform/random.ts";
import type { Timers } from "../../platform/timers.ts";
import type { Store } from "../../store/types.ts";
import type { LiveCalls } from "../live-calls.ts";
import type { GatewayObserver } from "../observer.ts";
import type { StreamOptions } from "./events/event-streams.ts";
import type { ApiLimits } from "./limits/api-limits.ts";

/** Whether the gateway can take calls now. */
export interface Readiness {
  readonly ready: boolean;
  /** Why not, as stable words: `draining`, `store_unavailable`, `recovering`. Empty when it is ready. */
  readonly reasons: readonly string[];
}

export interface MetricsText {
  readonly contentType: string;
  readonly text: string;
}

/** What the control API needs of the gateway around it. */
export interface ApiContext {
  readonly store: Store;
  readonly liveCalls: LiveCalls;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  /** Where the paths of recording files begin. */
  readonly recordingsFolder: string;
  /** Where the sounds are that programs may name; null: they may name none. */
  readonly soundsFolder: string | null;
  /** The gateway's `requests`: what flows may request, and where webhook endpoints may be. */
  readonly requests: RequestOptions;
  /** The same, checked. */
  readonly requestPolicy: RequestPolicy;
  /** Origin that links begin with, as programs reach the API: `https://ringback.example.com`. Null: relative links. */
  readonly publicUrl: string | null;
  /** Proxies whose `X-Forwarded-For` is believed: addresses or `10.0.0.0/8`. Default none. */
  readonly trustedProxies?: readonly string[];
  /** Origins whose pages may open WebSockets, beside the API's own: `https://desk.example.com`. Default none. */
  readonly allowedOrigins?: readonly string[];
  /** Bounds of the streams of events. Default: those of docs/api.md. */
  readonly streams?: StreamOptions;
  /** Default: those of docs/api.md. */
  readonly limits?: Partial<ApiLimits>;
  /** Told of each request. */
  readonly observer?: GatewayObserver;
  /** Asked for by `/healthz`: never waits. */
  health(): { readonly status: "ok" | "draining"; readonly calls: number };
  /** Asked for by `/readyz`. */
  readiness(): Readiness | Promise<Readiness>;
  /** Prometheus text; without it `/metrics` is not found. */
  metricsText?(): Promise<MetricsText>;
  /** Takes no new call from now on; the running ones go on. */
  drain(): void;
}
