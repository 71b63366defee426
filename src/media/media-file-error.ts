import { type ErrorDetails, RingbackError } from "../errors.ts";

type Reason = ErrorDetails["MEDIA_FILE_UNUSABLE"]["reason"];

const PROBLEMS: Readonly<Record<Reason, string>> = {
  missing: "does not exist",
  unreadable: "cannot be read: it must be a regular file that this process may open",
  empty: "holds no sound",
  "too-large": "is larger than the limit for prompts (maxFileBytes)",
  "too-long": "is longer than the limit for prompts (maxDurationMs)",
  "not-audio": "is no audio that can be decoded: MP3, WAV, Ogg Opus and FLAC are",
};

export function mediaFileError(
  path: string,
  reason: Reason,
  cause?: unknown,
): RingbackError<"MEDIA_FILE_UNUSABLE"> {
  return new RingbackError("MEDIA_FILE_UNUSABLE", `${path} ${PROBLEMS[reason]}.`, {
    details: { path, reason },
    cause,
  });
}
