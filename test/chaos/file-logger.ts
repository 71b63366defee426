import { appendFileSync } from "node:fs";
import type { Logger } from "../../src/logger.ts";

/** Warnings and errors as JSON lines, on the disk when the call returns: what a killed process said last is there. */
export function createFileLogger(file: string): Logger {
  const write =
    (level: string) =>
    (fields: object, message: string): void =>
      appendFileSync(
        file,
        `${JSON.stringify({ level, at: new Date().toISOString(), message, ...plain(fields) })}\n`,
      );
  const logger: Logger = {
    debug: () => {},
    info: () => {},
    warn: write("warn"),
    error: write("error"),
    child: () => logger,
  };
  return logger;
}

function plain(fields: object): object {
  const entries = Object.entries(fields).map(([name, value]) => [
    name,
    value instanceof Error ? describe(value) : value,
  ]);
  return Object.fromEntries(entries);
}

function describe(error: Error): object {
  const cause = error.cause instanceof Error ? describe(error.cause) : undefined;
  return {
    name: error.name,
    message: error.message,
    code: "code" in error ? error.code : undefined,
    stack: error.stack,
    cause,
  };
}
