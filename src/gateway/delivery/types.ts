import type { BreakerState } from "../../core/delivery/circuit-breaker.ts";
import type { DeliveryVerdict } from "../../core/delivery/delivery-answer.ts";
import type { Logger } from "../../logger.ts";
import type { Clock } from "../../platform/clock.ts";
import type { RequestPolicy } from "../../platform/outgoing-request.ts";
import type { Random } from "../../platform/random.ts";
import type { Timers } from "../../platform/timers.ts";
import type { DeliveryState, Store } from "../../store/types.ts";

export interface DeliveriesOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly timers: Timers;
  /** For the jitter of retries. */
  readonly random: Random;
  readonly logger: Logger;
  /** What may be requested: endpoints are URLs that somebody else has named (docs/outgoing-requests.md). */
  readonly requests: RequestPolicy;
  /** False while another process delivers what is in this store. Asked again and again. Default: always true. */
  readonly mayDeliver?: () => boolean;
  /** For a whole attempt, in ms. Default 10 000; never more than the policy's. */
  readonly timeoutMs?: number;
  /** Calls of one endpoint that are delivered for at the same time. Default 16. */
  readonly concurrency?: number;
  /** Told of each attempt that was not called off. Never slow, never throws. */
  readonly onAttempt?: (outcome: DeliveryVerdict, ms: number) => void;
  /** How often the store is asked for what other processes have changed, in ms. Default 1 000. */
  readonly pollMs?: number;
  /** How long `stop` waits for what is under way, in ms. Default 5 000. */
  readonly stopLimitMs?: number;
}

export interface EndpointDeliveryStatus {
  readonly endpointId: string;
  readonly breaker: BreakerState;
  readonly inFlight: number;
  /** Open connections, those that are kept included. */
  readonly connections: number;
  /** By this process: events that arrived, attempts that failed, events that were given up. */
  readonly delivered: number;
  readonly failed: number;
  readonly dead: number;
}

export interface DeliveriesStatus {
  /** Of the outbox in all; half a minute old at most while somebody asks. Null as long as it is not known. */
  readonly queue: Readonly<Record<DeliveryState, number>> | null;
  readonly endpoints: readonly EndpointDeliveryStatus[];
  readonly inFlight: number;
  /** Sums since the start of this process, endpoints that were removed included. */
  readonly delivered: number;
  readonly failed: number;
  readonly dead: number;
}

export interface Deliveries {
  /** Begins to deliver. Idempotent. */
  start(): void;
  /** Waits for what is under way, up to its limit; what was called off is delivered again after the next start. Idempotent. */
  stop(): Promise<void>;
  status(): DeliveriesStatus;
}
