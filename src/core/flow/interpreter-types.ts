import type { FlowOutcome } from "./outcomes.ts";
import type { FlowDocument, FlowStep, FlowTagValue, FlowVerb } from "./types.ts";

/** Both times of one moment: the first measures, the second is for opening hours. */
export interface FlowTime {
  /** Monotonic, in ms. */
  readonly nowMs: number;
  /** In ms since 1970. */
  readonly wallMs: number;
}

/** What is known of a recording that a step made. */
export interface FlowRecording {
  readonly status: "completed" | "failed" | "absent";
  readonly endedBy: string;
  readonly durationMs: number;
  readonly consent: { readonly mode: string; readonly state: string; readonly atMs: number | null };
  readonly files: readonly {
    /** Without its folder. */
    readonly name: string;
    readonly channel: string;
    readonly bytes: number;
    readonly sha256: string;
  }[];
}

/** What a step came to, beside its outcome. */
export interface FlowStepDetails {
  /** What the caller pressed. */
  readonly digits?: string;
  /** How often a gather asked, when it did so more than once. */
  readonly attempts?: number;
  readonly interruptedBy?: "digit" | "speech";
  readonly recording?: FlowRecording;
  /** Steps of the answer to a redirect. */
  readonly steps?: number;
  /** Why it failed. */
  readonly reason?: string;
}

/** One step that was performed, or skipped. */
export interface FlowStepRecord extends FlowStepDetails {
  /** Which document: 0 is the flow itself, each redirect brings another one. */
  readonly document: number;
  /** Where in it: `3`, `menu.on.1[0]`. */
  readonly index: string;
  readonly id: string | null;
  readonly verb: FlowVerb;
  readonly outcome: FlowOutcome;
  /** When it began, in ms since the start of the flow. */
  readonly atMs: number;
  readonly durationMs: number;
}

/**
 * Why a flow is over. `completed`: it came to its end, or hung up itself. `hangup`: the caller did, or the call broke off.
 * `aborted`: its program did not want it any longer. The others are limits.
 */
export type FlowEndReason =
  | "completed"
  | "hangup"
  | "aborted"
  | "step-limit"
  | "redirect-limit"
  | "loop-without-pause";

export type FlowInput = FlowTime &
  (
    | { readonly type: "start" }
    /** The step at hand is over. A gather's digits are in the details, whatever they mean. */
    | { readonly type: "step-done"; readonly outcome: FlowOutcome; readonly details?: FlowStepDetails }
    /** The answer to a redirect: null when it has no steps. */
    | { readonly type: "redirected"; readonly document: FlowDocument | null; readonly steps: number }
    | { readonly type: "redirect-failed"; readonly reason: string }
    | { readonly type: "call-ended" }
    | { readonly type: "abort" }
  );

export type FlowOutput =
  | { readonly type: "record"; readonly record: FlowStepRecord }
  /** Carry this out, and answer with `step-done`. A gather asks once: its retries are the interpreter's. */
  | {
      readonly type: "perform";
      readonly step: Exclude<FlowStep, { verb: "redirect" | "tag" }>;
      /** True when the document came by a redirect: what it names is not to be trusted. */
      readonly isRemote: boolean;
    }
  /** Post where the flow stands, and answer with `redirected` or `redirect-failed`. */
  | {
      readonly type: "redirect";
      readonly url: string;
      /** The last step that was carried out before, null when there was none. */
      readonly lastStep: FlowStepRecord | null;
      readonly tags: Readonly<Record<string, FlowTagValue>>;
    }
  | { readonly type: "end"; readonly reason: FlowEndReason };
