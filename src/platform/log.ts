import { type DestinationStream, pino } from "pino";
import type { Logger } from "../logger.ts";
import { redactFields, redactText } from "./log-redaction.ts";

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/**
 * JSON lines, one object a line, ISO times. Errors are reduced to what is safe to keep, and whatever else slips in that is secret or
 * personal is redacted.
 *
 * @param destination Default: standard output.
 */
export function createJsonLogger(level: LogLevel, destination?: DestinationStream): Logger {
  const options = {
    level,
    timestamp: pino.stdTimeFunctions.isoTime,
    base: null,
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (fields: object) => redactFields(fields, describeError),
    },
    // Errors are described above; pino's own way with them would add to that.
    serializers: { err: (described: unknown) => described },
    hooks: {
      logMethod(args: Parameters<pino.LogFn>, method: pino.LogFn): void {
        const [fields, message, ...rest] = args as [unknown, unknown, ...unknown[]];
        const safe = typeof message === "string" ? redactText(message) : message;
        Reflect.apply(method, this, [
          typeof fields === "string" ? redactText(fields) : fields,
          safe,
          ...rest,
        ]);
      },
    },
  };
  return withSafeChildren(destination === undefined ? pino(options) : pino(options, destination));
}

/** pino formats the fields of lines, not those that children add to each of theirs. Children have this from their parents. */
function withSafeChildren(logger: pino.Logger): Logger {
  const child = Reflect.get(logger, "child") as (this: pino.Logger, fields: object) => Logger;
  return Object.assign(logger, {
    child(this: pino.Logger, fields: object): Logger {
      return child.call(this, redactFields(fields, describeError));
    },
  });
}

/** An error's code, message and stack, but never its cause: a library's cause may hold what it was sent. */
function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { message: "a value that is no Error was thrown" };
  const code = "code" in error && typeof error.code !== "object" ? error.code : undefined;
  const stack = error.stack === undefined ? undefined : redactText(error.stack);
  return { name: error.name, code, message: redactText(error.message), stack };
}
