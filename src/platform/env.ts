import { hostname } from "node:os";

/** The environment as the program was started with: the only place that reads `process.env`. */
export function readEnvironment(): Readonly<Record<string, string | undefined>> {
  return process.env;
}

/** What the machine, or the container, is called. */
export function readHostName(): string {
  return hostname();
}
