import { speechError } from "./speech-error.ts";
import type { SpeechRequest } from "./text-to-speech.ts";

/** A request that was checked. */
export interface SpokenText {
  /** One line, without white space around it. */
  readonly text: string;
  readonly voice: string | null;
  readonly language: string | null;
}

/** As OpenAI's API has it; some four minutes of speech. */
const MAX_CHARACTERS = 4_096;

/** Neither an option nor a path. */
const NAME = /^[\p{L}\p{N}_][^/\\\p{Cc}]{0,99}$/u;

/**
 * Checks and straightens a request. Line ends and control characters become spaces: a program that reads line by line would
 * speak one line, and none can be given a NUL.
 *
 * @throws {RingbackError} `SPEECH_FAILED`.
 */
export function readSpokenText(speech: string, request: SpeechRequest): SpokenText {
  const text = request.text.replace(/[\s\p{Cc}]+/gu, " ").trim();
  if (text === "") throw speechError(speech, "text-empty", "there is nothing to speak");
  if (text.length > MAX_CHARACTERS) {
    throw speechError(speech, "text-too-long", `it has more than ${MAX_CHARACTERS} characters`);
  }
  return {
    text,
    voice: readName(speech, "voice", request.voice),
    language: readName(speech, "language", request.language),
  };
}

function readName(speech: string, what: "voice" | "language", name: string | undefined): string | null {
  if (name === undefined || name === "") return null;
  if (NAME.test(name)) return name;
  const problem = `the name of a ${what} begins with a letter or a digit, has no slash, and at most 100 characters`;
  throw speechError(speech, "voice-invalid", problem);
}
