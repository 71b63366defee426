import type { FlowStep, FlowVerb, GatherStep } from "./types.ts";

/** What a step came to. `hangup`: the call ended in it; nothing follows. `digits`: a gather that has no branch for them. */
export type FlowOutcome =
  | "completed"
  | "interrupted"
  | "failed"
  | "skipped"
  | "digits"
  | "timeout"
  | "other"
  | "absent"
  | "declined"
  | "unsupported"
  | "empty"
  | "busy"
  | "no-answer"
  | "hangup";

interface VerbOutcomes {
  /** What `on` may name, beside `skipped` and, for `gather`, digits. */
  readonly branches: readonly FlowOutcome[];
  /** Those in which no time passes for certain. */
  readonly instant: readonly FlowOutcome[];
}

/** By verb, what a step can come to. */
export const VERB_OUTCOMES: Readonly<Record<FlowVerb, VerbOutcomes>> = {
  // A call that is answered is not answered again.
  answer: { branches: ["completed"], instant: ["completed"] },
  reject: { branches: ["failed"], instant: ["failed"] },
  play: { branches: ["completed", "interrupted", "failed"], instant: ["failed"] },
  say: { branches: ["completed", "interrupted", "failed"], instant: ["failed"] },
  // A prompt that cannot be played leaves a gather that listens.
  gather: { branches: ["timeout", "other"], instant: [] },
  record: { branches: ["completed", "absent", "declined", "failed"], instant: ["failed"] },
  pause: { branches: ["completed"], instant: [] },
  tone: { branches: ["completed", "failed"], instant: ["failed"] },
  dtmf: { branches: ["completed", "unsupported", "failed"], instant: ["unsupported", "failed"] },
  redirect: { branches: ["empty", "failed"], instant: ["failed"] },
  dial: {
    branches: ["completed", "busy", "no-answer", "failed", "unsupported"],
    instant: ["failed", "unsupported"],
  },
  stream: { branches: ["completed", "failed", "unsupported"], instant: ["failed", "unsupported"] },
  tag: { branches: ["completed"], instant: ["completed"] },
  hangup: { branches: [], instant: [] },
};

export const FLOW_VERBS: readonly FlowVerb[] = Object.keys(VERB_OUTCOMES) as FlowVerb[];

/** What this release carries out as `unsupported`. */
export const VERBS_TO_COME: ReadonlySet<FlowVerb> = new Set(["dial", "stream"]);

/** Keys of a gather's `on` that stand for what the caller pressed. */
export const DIGIT_BRANCH: RegExp = /^[0-9*#A-D]{1,128}$/;

/** What a step can come to, as keys of `on`; a gather's `digits` stands for those without any branch of digits. */
export function possibleOutcomes(step: FlowStep): readonly string[] {
  const skipped = step.when === undefined ? [] : ["skipped"];
  return [...possibleWhenDone(step), ...skipped];
}

function possibleWhenDone(step: FlowStep): readonly string[] {
  if (step.verb === "gather") return possibleOfGather(step);
  const isEndless = (step.verb === "play" || step.verb === "say") && step.loop === true;
  if (!isEndless) return VERB_OUTCOMES[step.verb].branches;
  return step.interruptOn === undefined ? ["failed"] : ["interrupted", "failed"];
}

function possibleOfGather({ on = {} }: GatherStep): readonly string[] {
  const digits = digitBranches(on);
  const pressed = digits.length > 0 ? [...digits, "other"] : ["other" in on ? "other" : "digits"];
  return [...pressed, "timeout"];
}

export function digitBranches(on: Readonly<Record<string, unknown>> | undefined): readonly string[] {
  return Object.keys(on ?? {}).filter((key) => DIGIT_BRANCH.test(key));
}
