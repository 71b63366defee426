import type { CallAction } from "../core/call/types.ts";
import type { RingbackError } from "../errors.ts";
import type { MediaStats } from "../media/index.ts";
import type { CallEnd } from "./call.ts";
import type { TimelineEntry } from "./timeline.ts";

/** What there is to say about a call when it is over. */
export interface EndedCall {
  /** `call_…` */
  readonly recordId: string;
  readonly phoneNumberId: string;
  readonly end: CallEnd;
  readonly timeline: readonly TimelineEntry[];
  /** When its webhook came in: the timeline's zero, in ms since the Unix epoch. */
  readonly startedWallMs: number;
  /** Null when no media leg was open. */
  readonly stats: MediaStats | null;
}

/** Who watches the gateway at work: metrics, traces. Never slow, never throws. */
export interface GatewayObserver {
  /** A webhook has its answer. `ms` is from its last byte to the answer, the journal included. */
  webhookAnswered?(status: number, ms: number): void;
  /** An event of a webhook is about to be acted upon. `lagMs` is from WhatsApp's timestamp, null when it has none. */
  webhookEvent?(event: string, lagMs: number | null): void;
  callStarted?(recordId: string, phoneNumberId: string): void;
  graphRequest?(action: CallAction, ms: number, error: RingbackError | null): void;
  callEnded?(call: EndedCall): void;
  /** A request to the control API has its answer. `route` is the pattern, without anybody's ids. */
  apiRequest?(method: string, route: string, status: number, ms: number): void;
  /** An event was sent to an endpoint. `gone`: 410, the endpoint is disabled. */
  deliveryAttempt?(outcome: "delivered" | "failed" | "gone", ms: number): void;
  /** The store could not do something; `reason` is that of `STORE_UNAVAILABLE`. */
  storeFailed?(reason: string): void;
}
