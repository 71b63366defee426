import type {
  FlowBuilder,
  FlowDocument,
  FlowEndReason,
  FlowStep,
  FlowStepRecord,
  FlowTagValue,
} from "../../core/flow/index.ts";
import type { Logger } from "../../logger.ts";
import type { Clock } from "../../platform/clock.ts";
import type { RequestOptions } from "../../platform/outgoing-request.ts";
import type { Timers } from "../../platform/timers.ts";
import type { Call } from "../call.ts";

/** What a flow needs of a call. */
export type FlowCall = Pick<
  Call,
  | "id"
  | "phoneNumberId"
  | "caller"
  | "phase"
  | "ended"
  | "answer"
  | "reject"
  | "hangUp"
  | "play"
  | "say"
  | "gather"
  | "record"
  | "tone"
  | "sendDigits"
  | "tag"
>;

/** A document, the steps of one, or a builder. */
export type FlowSpec = FlowDocument | readonly FlowStep[] | FlowBuilder;

export interface FlowOptions {
  /** Where relative paths of files begin. Default: the working directory, and no files for documents of a redirect. */
  readonly folder?: string;
  /** What may be requested for `redirect` and `postTo`: the gateway's `requests`. Default: https to public addresses. */
  readonly requests?: RequestOptions;
  /** What becomes of the call at the end of the flow. Default `hang-up`. */
  readonly atEnd?: "hang-up" | "keep";
  /** Told of each step when it is over. May hold what the caller pressed. What it throws is logged. */
  readonly onStep?: (step: FlowStepRecord) => void;
  /** Aborting it ends the flow and leaves the call as it is; the reason is then `aborted`. */
  readonly signal?: AbortSignal;
  /** Default: silent. */
  readonly logger?: Logger;
  /** @internal For tests: asks for the next steps instead of a request. */
  readonly fetchSteps?: FetchSteps;
  /** @internal For tests. */
  readonly clock?: Clock;
  /** @internal For tests. */
  readonly timers?: Timers;
}

/** How a flow ended. */
export interface FlowResult {
  readonly reason: FlowEndReason;
  /** Steps that were performed or skipped. */
  readonly steps: number;
  readonly durationMs: number;
  /** What `tag` steps have noted. */
  readonly tags: Readonly<Record<string, FlowTagValue>>;
  /** The last step that was performed, null when there was none. */
  readonly lastStep: FlowStepRecord | null;
}

/**
 * Posts an event and resolves with the text of the answer, empty when there is none.
 * @throws {RingbackError} `REQUEST_REFUSED`, `REQUEST_FAILED`.
 */
export type FetchSteps = (url: string, event: FlowEvent, signal: AbortSignal) => Promise<string>;

/** What servers are told about a call in a flow (docs/flows.md). */
export interface FlowEvent {
  readonly version: 1;
  readonly call: {
    readonly id: string;
    readonly phoneNumberId: string;
    readonly caller: Call["caller"];
  };
  /** The last step that was performed, without its times; null when there was none. */
  readonly step: Omit<FlowStepRecord, "document" | "index" | "atMs" | "durationMs"> | null;
  readonly tags: Readonly<Record<string, FlowTagValue>>;
}
