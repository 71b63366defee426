import { RingbackError } from "../../errors.ts";

/** Of one `say`, and of one script. */
const MAX_SPEECH_MS = 600_000;
const MAX_PARTS = 1000;
const PCM_RATES_HZ = { least: 8000, most: 48_000 } as const;
const TONE_HZ = { least: 50, most: 7000 } as const;

/** One piece of what the phone says. Each begins with a packet of its own; the rest of its last one is silence. */
export type SpeechPart =
  /** Of any common audio format. */
  | { readonly file: string }
  | { readonly tone: { readonly frequencyHz: number; readonly durationMs: number } }
  /** Packets of silence. */
  | { readonly silenceMs: number }
  /** Mono, 8000 to 48 000 Hz. */
  | { readonly pcm: Int16Array; readonly rateHz: number };

/** What the phone can be told to say: 1 to 1000 parts, one after another. */
export type PhoneSpeech = SpeechPart | readonly SpeechPart[];

export type SpeechKind = "file" | "tone" | "silence" | "pcm";

/** When a part of what was said left the phone: monotonic ms, as in the call's timeline. */
export interface SpokenPart {
  /** `voice`: what the call began with, the first time round. `say`: what it was told to say later. */
  readonly source: "voice" | "say";
  /** Counts from 0 in its voice or its `say`. */
  readonly part: number;
  readonly kind: SpeechKind;
  readonly firstPacketAtMs: number;
  /** So far, while it goes on. */
  readonly lastPacketAtMs: number;
}

/** What became of a `say`. Times are monotonic ms; null: nothing of it was sent. */
export interface Spoken {
  /** False: the phone fell silent or the call ended before all of it was out. */
  readonly isComplete: boolean;
  readonly firstPacketAtMs: number | null;
  readonly lastPacketAtMs: number | null;
  /** The parts that left, in order. */
  readonly parts: readonly SpokenPart[];
}

export function kindOf(part: SpeechPart): SpeechKind {
  if ("file" in part) return "file";
  if ("tone" in part) return "tone";
  return "pcm" in part ? "pcm" : "silence";
}

/**
 * The parts of a speech. Files are not opened here.
 * @param option Named by the error, such as `voice.parts`.
 * @throws {RingbackError} `OPTION_INVALID` for a tone outside 50 to 7000 Hz, a rate outside 8000 to 48 000 Hz, no part or
 * more than 1000, and more than 10 minutes.
 */
export function toSpeechParts(speech: PhoneSpeech, option: string): readonly SpeechPart[] {
  const parts = isList(speech) ? speech : [speech];
  if (parts.length === 0 || parts.length > MAX_PARTS) {
    throw invalid(option, `${option} must have 1 to ${MAX_PARTS} parts, got ${parts.length}`);
  }
  let totalMs = 0;
  parts.forEach((part, index) => {
    totalMs += checkPart(part, isList(speech) ? `${option}[${index}]` : option);
  });
  if (totalMs > MAX_SPEECH_MS) throw invalid(option, `${option} must not last longer than 10 minutes`);
  return parts;
}

/** @throws {RingbackError} `OPTION_INVALID` outside 50 to 7000 Hz. */
export function requireToneHz(frequencyHz: number, option: string): void {
  requireRange(frequencyHz, TONE_HZ, option);
}

/** Returns the part's duration in ms, 0 for a file. */
function checkPart(part: SpeechPart, option: string): number {
  if ("file" in part) {
    if (typeof part.file === "string" && part.file !== "") return 0;
    throw invalid(`${option}.file`, `${option}.file must be a path`);
  }
  if ("tone" in part) {
    requireToneHz(part.tone.frequencyHz, `${option}.tone.frequencyHz`);
    return requireRange(part.tone.durationMs, DURATION_MS, `${option}.tone.durationMs`);
  }
  if ("pcm" in part) {
    if (!(part.pcm instanceof Int16Array && part.pcm.length > 0)) {
      throw invalid(`${option}.pcm`, `${option}.pcm must be an Int16Array with samples in it`);
    }
    requireRange(part.rateHz, PCM_RATES_HZ, `${option}.rateHz`);
    return (part.pcm.length / part.rateHz) * 1000;
  }
  return requireRange(part.silenceMs, DURATION_MS, `${option}.silenceMs`);
}

const DURATION_MS = { least: 1, most: MAX_SPEECH_MS } as const;

function requireRange(
  value: number,
  { least, most }: { readonly least: number; readonly most: number },
  option: string,
): number {
  if (value >= least && value <= most) return value;
  throw invalid(option, `${option} must be ${least}–${most}, got ${value}`);
}

function isList(speech: PhoneSpeech): speech is readonly SpeechPart[] {
  return Array.isArray(speech);
}

function invalid(option: string, message: string): RingbackError {
  return new RingbackError("OPTION_INVALID", message, { details: { option } });
}
