/** Where a branch leads: the id of a step, the step after this one, the end of the flow, or steps of its own. */
export type FlowTarget = string | readonly FlowStep[];

/** What follows each outcome. An outcome without a branch goes on with the next step. */
export type FlowBranches<Outcome extends string> = { readonly [K in Outcome | "skipped"]?: FlowTarget };

/** A tone of one or two frequencies. */
export interface FlowTone {
  /** 50 to 7,000 Hz. */
  readonly frequencyHz: number | readonly [number, number];
  /** 20 to 60,000 ms. */
  readonly durationMs: number;
}

/** One thing to be heard: the path or the URL of a file, a tone, silence, or words to be spoken. */
export type FlowSourceItem =
  | string
  | { readonly tone: FlowTone }
  | { readonly silenceMs: number }
  | { readonly say: string; readonly voice?: string; readonly language?: string };

export type FlowSource = FlowSourceItem | readonly FlowSourceItem[];

/** What the caller does that stops what is heard. */
export type FlowInterruption = "digit" | "speech";

/** Times of day on days of the week, in a zone. A range that spans midnight belongs to the day that it begins on. */
export interface FlowHours {
  /** IANA name, such as `Europe/Berlin`. */
  readonly timeZone: string;
  /** By days (`mon`, `mon-fri`, `sat,sun`): ranges such as `09:00-12:30` or `22:00-06:00`. Days not named are closed. */
  readonly open: Readonly<Record<string, readonly string[]>>;
  /** Dates without opening hours: `2026-12-24`, or `12-25` for each year. */
  readonly holidays?: readonly string[];
}

export interface FlowCondition {
  readonly hours: FlowHours;
  /** True: outside of these hours. Default false. */
  readonly not?: boolean;
}

interface StepBase<Outcome extends string> {
  /** Unique in its document. */
  readonly id?: string;
  /** The step is skipped (outcome `skipped`) when this does not hold. */
  readonly when?: FlowCondition;
  readonly on?: FlowBranches<Outcome>;
}

interface Heard {
  /** Again from the start, for ever or this many rounds. Default false. */
  readonly loop?: boolean | number;
  /** Factor of the amplitude, 0 to 4. Default 1. */
  readonly gain?: number;
  /** Default: nothing. */
  readonly interruptOn?: FlowInterruption | readonly FlowInterruption[];
}

export interface AnswerStep extends StepBase<"completed"> {
  readonly verb: "answer";
}

/** Turns the call away. `failed`: it is answered already. */
export interface RejectStep extends StepBase<"failed"> {
  readonly verb: "reject";
}

export interface PlayStep extends StepBase<"completed" | "interrupted" | "failed">, Heard {
  readonly verb: "play";
  readonly source: FlowSource;
}

export interface SayStep extends StepBase<"completed" | "interrupted" | "failed">, Heard {
  readonly verb: "say";
  readonly text: string;
  readonly voice?: string;
  /** BCP 47, such as `de` or `pt-BR`. */
  readonly language?: string;
}

export interface GatherStep {
  readonly verb: "gather";
  readonly id?: string;
  readonly when?: FlowCondition;
  /** Played first; the first key stops it. */
  readonly prompt?: FlowSource;
  /** 1 to 128. Default: the length of the longest digits in `on`, or 128. */
  readonly maxDigits?: number;
  /** The key that ends the input and is no part of it; null: none. Default `#`, or none where `on` has digits with it. */
  readonly finishOnKey?: string | null;
  /** Time for the first key, from the end of the prompt. Default 5,000. */
  readonly timeoutMs?: number;
  /** Time for each further key. Default: `timeoutMs`. */
  readonly interDigitTimeoutMs?: number;
  /** Ask again when no key came, or digits that `on` has no branch for, this many times. Default 0. */
  readonly retries?: number;
  /** By digits (`1`, `42`, `*`), `timeout`, `other` (digits without a branch) and `skipped`. */
  readonly on?: Readonly<Record<string, FlowTarget>>;
}

export interface RecordStep extends StepBase<"completed" | "absent" | "declined" | "failed"> {
  readonly verb: "record";
  /** How the caller's consent is come by. `none`: you have the right without asking. */
  readonly consent: "announce" | "dtmf" | "none";
  /** Played first; needed for `announce` and `dtmf`. */
  readonly announcement?: FlowSource;
  /** For `dtmf`: the key that agrees. Default `1`. */
  readonly consentKey?: string;
  /** Default `caller`. */
  readonly channels?: "caller" | "business" | "both";
  readonly layout?: "stereo" | "files";
  readonly format?: "opus" | "wav";
  readonly maxMs?: number;
  readonly endOnSilenceMs?: number;
  readonly beep?: boolean;
  readonly finishOnKey?: string | null;
  readonly trim?: boolean;
  /** Gets what became of the recording, and the files. */
  readonly postTo?: string;
}

export interface PauseStep extends StepBase<"completed"> {
  readonly verb: "pause";
  readonly durationMs: number;
}

export interface ToneStep extends StepBase<"completed" | "failed">, FlowTone {
  readonly verb: "tone";
}

/** Presses keys toward the caller. `unsupported`: the caller's phone takes none. */
export interface DtmfStep extends StepBase<"completed" | "unsupported" | "failed"> {
  readonly verb: "dtmf";
  /** `0`-`9`, `*`, `#`, `A`-`D`, and `w` for a pause of 500 ms. */
  readonly digits: string;
  /** As sounds in the audio. Default false: as telephone events. */
  readonly inBand?: boolean;
}

/** Posts where the call stands and goes on with the steps of the answer. `empty`: it has none. */
export interface RedirectStep extends StepBase<"empty" | "failed"> {
  readonly verb: "redirect";
  readonly url: string;
}

export type DialTarget =
  | { readonly type: "agent"; readonly queue: string }
  | { readonly type: "sip"; readonly uri: string };

export interface DialStep extends StepBase<"completed" | "busy" | "no-answer" | "failed" | "unsupported"> {
  readonly verb: "dial";
  readonly targets: readonly DialTarget[];
  readonly timeoutMs?: number;
}

export interface StreamStep extends StepBase<"completed" | "failed" | "unsupported"> {
  readonly verb: "stream";
  /** `ws://` or `wss://`. */
  readonly url: string;
  readonly dialect?: "twilio";
  readonly params?: Readonly<Record<string, string>>;
}

export type FlowTagValue = string | number | boolean;

/** Notes that go with each `redirect` and into the flow's result. */
export interface TagStep extends StepBase<"completed"> {
  readonly verb: "tag";
  readonly tags: Readonly<Record<string, FlowTagValue>>;
}

export interface HangupStep extends StepBase<never> {
  readonly verb: "hangup";
}

export type FlowStep =
  | AnswerStep
  | RejectStep
  | PlayStep
  | SayStep
  | GatherStep
  | RecordStep
  | PauseStep
  | ToneStep
  | DtmfStep
  | RedirectStep
  | DialStep
  | StreamStep
  | TagStep
  | HangupStep;

export type FlowVerb = FlowStep["verb"];

/** What one call goes through, step by step. */
export interface FlowDocument {
  readonly version: 1;
  readonly steps: readonly FlowStep[];
}
