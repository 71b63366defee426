import { pino } from "pino";
import type { Logger } from "../logger.ts";

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/** JSON lines on standard output, one object a line, ISO times. Errors are reduced to what is safe to keep. */
export function createJsonLogger(level: LogLevel): Logger {
  return pino({
    level,
    timestamp: pino.stdTimeFunctions.isoTime,
    base: null,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: describeError },
  });
}

/** An error's code, message and stack, but never its cause: a library's cause may hold what it was sent. */
function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { message: "a value that is no Error was thrown" };
  const code = "code" in error ? error.code : undefined;
  return { name: error.name, code, message: error.message, stack: error.stack };
}
