import { type ErrorCode, RingbackError } from "../../../errors.ts";

/** A command cannot be done, for a reason that is the API's own. */
export class CommandError extends Error {
  override readonly name: string = "CommandError";
  readonly code: string;

  constructor(code: "not_recording" | "not_bridged", message: string) {
    super(message);
    this.code = code;
  }
}

/** Messages that may name a path of the gateway's machine, which is told to nobody. */
const IN_PLACE: Partial<Record<ErrorCode, string>> = {
  RECORDING_FAILED: "The recording could not be made; the log of the gateway says why.",
  MEDIA_ENGINE_FAILED: "The media engine failed; the log of the gateway says why.",
  COMMAND_FAILED: "A program of the gateway failed; its log says why.",
};

export interface CommandFailure {
  readonly code: string;
  readonly message: string;
}

/** What `call.command_failed` says; null: an error that nobody thought of, which is for the log. */
export function toCommandFailure(error: unknown): CommandFailure | null {
  if (error instanceof CommandError) return { code: error.code, message: error.message };
  if (!(error instanceof RingbackError)) return null;
  const { code } = error;
  return { code: code.toLowerCase(), message: messageOf(error) };
}

function messageOf(error: RingbackError): string {
  if ("path" in error.details) return `The sound cannot be played: ${error.details.reason}.`;
  return IN_PLACE[error.code] ?? error.message;
}
