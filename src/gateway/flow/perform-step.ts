import {
  ANSWERING_VERBS,
  type FlowOutcome,
  type FlowOutput,
  type FlowRecording,
  type FlowSource,
  type FlowStepDetails,
  type GatherStep,
  type PlayStep,
  type RecordStep,
  type SayStep,
} from "../../core/flow/index.ts";
import { isRingbackError } from "../../errors.ts";
import type {
  GatherOptions,
  PlayOptions,
  PlayResult,
  RecordingResult,
  RecordOptions,
} from "../verbs/types.ts";
import type { FlowCall } from "./flow-options.ts";
import { type SourcePlace, toPlaySources } from "./flow-sources.ts";

export type PerformableStep = Extract<FlowOutput, { type: "perform" }>["step"];

export interface StepResult {
  readonly outcome: FlowOutcome;
  readonly details: FlowStepDetails;
}

/** What a step needs beside the call. */
export interface StepContext extends SourcePlace {
  /** Aborts at the end of the flow. */
  readonly signal: AbortSignal;
  /** Resolves after the time, or when the signal aborts. */
  wait(durationMs: number): Promise<void>;
  /** Ends the call once what was said last has arrived. */
  hangUp(): Promise<void>;
  /** A gather goes on without its prompt. */
  onPromptFailed(error: unknown): void;
  /** Takes a recording that is to be posted. */
  onRecorded(step: RecordStep, result: RecordingResult): void;
}

/** Carries one step out on a call. What goes wrong with it is an outcome: never rejects. */
export async function performStep(
  call: FlowCall,
  step: PerformableStep,
  context: StepContext,
): Promise<StepResult & { readonly error: unknown }> {
  try {
    if (ANSWERING_VERBS.has(step.verb)) await call.answer();
    return { ...(await perform(call, step, context)), error: null };
  } catch (error) {
    if (call.phase === "ended" || isRingbackError(error, "CALL_ENDED"))
      return { ...done("hangup"), error: null };
    const reason = error instanceof Error ? error.message : "unknown reason";
    return { ...done("failed", { reason }), error };
  }
}

async function perform(call: FlowCall, step: PerformableStep, context: StepContext): Promise<StepResult> {
  switch (step.verb) {
    case "answer":
      return done("completed");
    case "reject":
      await call.reject();
      return done("completed");
    case "hangup":
      await context.hangUp();
      return done("completed");
    case "play":
      return toResult(await call.play(toPlaySources(step.source, context), playOptions(step, context)));
    case "say":
      return toResult(await say(call, step, context));
    case "tone": {
      const { frequencyHz, durationMs } = step;
      return toResult(await call.tone({ frequencyHz, durationMs }, { signal: context.signal }));
    }
    case "pause":
      await context.wait(step.durationMs);
      return done("completed");
    case "gather":
      return gather(call, step, context);
    case "record":
      return record(call, step, context);
    case "dtmf": {
      const sent = await call.sendDigits(
        step.digits,
        step.inBand === undefined ? {} : { inBand: step.inBand },
      );
      if (sent === "call-ended") return done("hangup");
      return done(sent === "sent" ? "completed" : "unsupported");
    }
    case "dial":
    case "stream":
      return done("unsupported", { reason: `${step.verb} is not carried out yet` });
  }
}

function say(call: FlowCall, step: SayStep, context: StepContext): Promise<PlayResult> {
  const { text, voice, language } = step;
  return call.say(text, {
    ...playOptions(step, context),
    ...(voice === undefined ? {} : { voice }),
    ...(language === undefined ? {} : { language }),
  });
}

function playOptions({ loop, gain, interruptOn }: PlayStep | SayStep, { signal }: StepContext): PlayOptions {
  return {
    signal,
    ...(loop === undefined ? {} : { loop }),
    ...(gain === undefined ? {} : { gain }),
    ...(interruptOn === undefined ? {} : { interruptOn }),
  };
}

function toResult({ outcome, interruptedBy }: PlayResult): StepResult {
  switch (outcome) {
    case "completed":
      return done("completed");
    case "call-ended":
      return done("hangup");
    case "interrupted":
      return done("interrupted", interruptedBy === null ? {} : { interruptedBy });
    // Somebody else has played something on this call.
    case "replaced":
    case "stopped":
      return done("interrupted");
  }
}

/** One try: the interpreter knows which digits are right, and asks again. */
async function gather(call: FlowCall, step: GatherStep, context: StepContext): Promise<StepResult> {
  const { prompt, maxDigits, finishOnKey, timeoutMs, interDigitTimeoutMs } = step;
  const { outcome, digits } = await call.gather({
    retries: 0,
    signal: context.signal,
    ...(prompt === undefined ? {} : promptOf(prompt, context)),
    ...(maxDigits === undefined ? {} : { maxDigits }),
    ...(finishOnKey === undefined ? {} : { finishOnKey }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(interDigitTimeoutMs === undefined ? {} : { interDigitTimeoutMs }),
  });
  if (outcome === "digits") return done("digits", { digits });
  return done(outcome === "timeout" ? "timeout" : "hangup", digits === "" ? {} : { digits });
}

/** A prompt that is not to be had leaves a gather that listens, as one that cannot be played does. */
function promptOf(prompt: FlowSource, context: StepContext): Pick<GatherOptions, "prompt"> {
  try {
    return { prompt: toPlaySources(prompt, context) };
  } catch (error) {
    context.onPromptFailed(error);
    return {};
  }
}

async function record(call: FlowCall, step: RecordStep, context: StepContext): Promise<StepResult> {
  const result = await call.record(recordOptions(step, context));
  const recording = toFlowRecording(result);
  if (step.postTo !== undefined) context.onRecorded(step, result);
  if (result.endedBy === "call-ended" || call.phase === "ended") return done("hangup", { recording });
  if (result.consent.state === "declined") return done("declined", { recording });
  const reason = result.error === null ? {} : { reason: result.error.message };
  return done(result.status, { recording, ...reason });
}

function recordOptions(step: RecordStep, context: StepContext): RecordOptions {
  const { verb: _verb, id: _id, when: _when, on: _on, postTo: _postTo, announcement, ...options } = step;
  return {
    ...options,
    signal: context.signal,
    ...(announcement === undefined ? {} : { announcement: toPlaySources(announcement, context) }),
  };
}

export function toFlowRecording(result: RecordingResult): FlowRecording {
  const { status, endedBy, durationMs, consent, files } = result;
  return {
    status,
    endedBy,
    durationMs,
    consent: { mode: consent.mode, state: consent.state, atMs: consent.atMs },
    files: files.map(({ path, channel, bytes, sha256 }) => ({
      name: fileName(path),
      channel,
      bytes,
      sha256,
    })),
  };
}

export function fileName(path: string): string {
  return path.split(/[\\/]/).at(-1) ?? path;
}

function done(outcome: FlowOutcome, details: FlowStepDetails = {}): StepResult {
  return { outcome, details };
}
