import type { Logger } from "../logger.ts";
import type { TerminateEvent } from "../whatsapp/call-event.ts";
import { explainCode } from "../whatsapp/error-catalogue.ts";
import type { CallEnd, RemoteError } from "./call.ts";

export function explainRemoteError(error: TerminateEvent["errors"][number]): RemoteError {
  const { meaning, nextStep } = explainCode(error.code, error.details);
  return { code: error.code, title: error.title, meaning, nextStep };
}

/** One line for every call; a warning where there is something to do. */
export function logCallEnd(logger: Logger, { reason, explanation, answered, durationMs }: CallEnd): void {
  const fields = { reason, ...explanation, answered, durationMs };
  if (explanation.nextStep === null) logger.info(fields, "call ended");
  else logger.warn(fields, "call ended");
}
