import { isRingbackError } from "../errors.ts";
import { loadConfig, type ServeConfig } from "../gateway/config.ts";
import { readEnvironment } from "../platform/env.ts";
import { readSecretFile } from "../platform/secret-file.ts";
import type { CliIo } from "./io.ts";

/**
 * The settings in the environment; null when some are missing or malformed, which is told, with the exit code 1.
 * @param given Settings that are not asked of the environment.
 */
export function readConfig(io: CliIo, given: Readonly<Record<string, string>> = {}): ServeConfig | null {
  try {
    return loadConfig({ ...readEnvironment(), ...given }, readSecretFile);
  } catch (error) {
    if (!isRingbackError(error, "CONFIG_INVALID")) throw error;
    io.err("Ringback cannot start: settings are missing or malformed.");
    for (const { name, problem, hint } of error.details.problems)
      io.err(`\n  ${name} ${problem}\n    ${hint}`);
    io.err("\nNo number at hand? `ringback demo` makes a whole call on this machine.");
    io.setExitCode(1);
    return null;
  }
}
