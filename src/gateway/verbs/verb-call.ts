import type { EndReason } from "../../core/call/types.ts";
import type { Logger } from "../../logger.ts";
import type { HostedSession } from "../../media/index.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Timers } from "../../platform/timers.ts";
import type { CallEvents } from "../call.ts";
import type { RecordKeeper } from "../records/record-keeper.ts";
import type { SafeEmitter } from "../safe-emitter.ts";

/** A call as its verbs see it. */
export interface VerbCall {
  /** WhatsApp's id, for errors: it holds the caller's number, so never for logs. */
  readonly id: string;
  readonly events: Pick<SafeEmitter<CallEvents>, "on" | "off">;
  /** Resolves at the end of the call. */
  readonly ended: Promise<unknown>;
  /** Why it ended; null while it goes on. */
  readonly endReason: EndReason | null;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  /** Monotonic time of its webhook, in ms. */
  readonly startedAtMs: number;
  /** Where it is noted what was done. */
  readonly keeper: RecordKeeper;
  /** Resolves with its media once there is a leg; null when the call is over. */
  media(): Promise<HostedSession | null>;
}
