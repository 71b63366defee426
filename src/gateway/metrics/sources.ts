import type { CallPhase } from "../../core/call/types.ts";
import type { MediaStatus } from "../../media/index.ts";
import type { DeliveryState } from "../../store/types.ts";
import type { RegistryCounters } from "../call-registry.ts";

/** What is asked when metrics are fetched. What takes longer than a second is left out, and counted. */
export interface MetricSources {
  readonly version: string;
  /** Calls at the same time that the gateway takes. */
  readonly maxCalls: number;
  /** The gateway's own status. */
  readonly status: () => {
    readonly state: string;
    readonly counters: Readonly<RegistryCounters>;
    readonly media: MediaStatus;
  };
  readonly callsByPhase: () => Readonly<Record<Exclude<CallPhase, "ended">, number>>;
  /** Names are the program's own: each has its series. */
  readonly queues?: () => Readonly<Record<string, number>>;
  /** Webhooks that were answered and not finished: how many, and since when the oldest. */
  readonly backlog?: () => Promise<{ readonly count: number; readonly oldestReceivedAt: number | null }>;
  readonly deliveries?: () => Promise<Readonly<Record<DeliveryState, number>>>;
  /** Endpoints that are left alone for a while because they failed, and those that are disabled. */
  readonly endpoints?: () => Promise<{ readonly open: number; readonly disabled: number }>;
  readonly isStoreWritable?: () => Promise<boolean>;
  /** Bytes that are free where the data folder is; null when the system does not say. */
  readonly freeBytes?: () => Promise<number | null>;
}
