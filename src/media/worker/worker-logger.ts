import type { Logger } from "../../logger.ts";
import type { LogLevel, LogLine } from "./messages.ts";
import { toWireError, type WireError } from "./wire-error.ts";

/** A logger whose lines are written by another thread. `call`: whom they are about, null for the worker as a whole. */
export function createWorkerLogger(
  post: (line: LogLine) => void,
  call: number | null = null,
  bound: object = {},
): Logger {
  const at =
    (level: LogLevel) =>
    (fields: object, message: string): void =>
      post({ type: "log", level, message, call, ...split({ ...bound, ...fields }) });
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (fields) => createWorkerLogger(post, call, { ...bound, ...fields }),
  };
}

/** Plain values go as they are, errors by themselves; what cannot go to another thread is left out. */
function split(all: object): Pick<LogLine, "fields" | "errors"> {
  const fields: Record<string, unknown> = {};
  const errors: Record<string, WireError> = {};
  for (const [key, value] of Object.entries(all) as [string, unknown][]) {
    if (value instanceof Error) errors[key] = toWireError(value);
    else if (isPlain(value)) fields[key] = value;
  }
  return { fields, errors };
}

function isPlain(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isPlain);
  return value === null || ["string", "number", "boolean", "undefined"].includes(typeof value);
}
