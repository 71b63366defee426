import { type ErrorDetails, RingbackError } from "../../errors.ts";

export type SpeechFault = ErrorDetails["SPEECH_FAILED"]["reason"];

/** @param problem What is wrong, and what would be right, without a full stop. It must not quote the text. */
export function speechError(
  speech: string,
  reason: SpeechFault,
  problem: string,
  cause?: RingbackError,
): RingbackError<"SPEECH_FAILED"> {
  return new RingbackError("SPEECH_FAILED", `The text was not spoken by ${speech}: ${problem}.`, {
    details: { speech, reason },
    retryable: cause?.retryable ?? false,
    cause,
  });
}

/** An error's message as a part of another's. */
export function messageWithin(error: Error): string {
  return error.message.replace(/^The /, "the ").replace(/\.$/, "");
}

export function optionError(option: string, message: string): RingbackError<"OPTION_INVALID"> {
  return new RingbackError("OPTION_INVALID", message, { details: { option } });
}
