import { type ConfigProblem, isRingbackError } from "../errors.ts";
import { loadConfig, type ServeConfig } from "../gateway/config.ts";
import { type ConfigFile, failedConfigFile, parseConfigFile } from "../gateway/config-file.ts";
import type { Environment } from "../gateway/settings-reader.ts";
import { readEnvironment, readHostName } from "../platform/env.ts";
import { readSecretFile } from "../platform/secret-file.ts";
import type { CliIo } from "./io.ts";

/** Where settings come from, before anybody has judged them. */
export interface ReadSettings {
  readonly env: Environment;
  /** Null: no file is named. */
  readonly file: ConfigFile | null;
}

/** Settings have some kilobytes at most. */
const MAX_FILE_BYTES = 1_048_576;

/**
 * The environment, and the file that `--config` or `RINGBACK_CONFIG` names. Never rejects: what is wrong with the file is in it.
 * @param path Of `--config`.
 * @param given Settings that are not asked of the environment.
 */
export async function readSettings(
  io: CliIo,
  path: string | undefined,
  given: Environment = {},
): Promise<ReadSettings> {
  const env = { ...readEnvironment(), ...given };
  const named = path ?? env["RINGBACK_CONFIG"]?.trim() ?? "";
  return { env, file: named === "" ? null : await readFileOf(io, named) };
}

/** The settings, or everything that is wrong with them. */
export function judgeSettings({ env, file }: ReadSettings): ServeConfig | readonly ConfigProblem[] {
  try {
    return loadConfig(env, readSecretFile, { file, hostName: readHostName() });
  } catch (error) {
    if (!isRingbackError(error, "CONFIG_INVALID")) throw error;
    return error.details.problems;
  }
}

/**
 * The settings; null when some are missing or malformed, which is told, with the exit code 1.
 * @param given Settings that are not asked of the environment.
 */
export async function readConfig(
  io: CliIo,
  given: Environment = {},
  path?: string,
): Promise<ServeConfig | null> {
  const judged = judgeSettings(await readSettings(io, path, given));
  if (!isProblems(judged)) return judged;
  io.err("Ringback cannot start: settings are missing or malformed.");
  for (const { name, problem, hint } of judged) io.err(`\n  ${name} ${problem}\n    ${hint}`);
  io.err(
    "\n`ringback config print` shows all settings. No number at hand? `ringback demo` makes a whole call here.",
  );
  io.setExitCode(1);
  return null;
}

export function isProblems(
  judged: ServeConfig | readonly ConfigProblem[],
): judged is readonly ConfigProblem[] {
  return Array.isArray(judged);
}

async function readFileOf(io: CliIo, path: string): Promise<ConfigFile> {
  try {
    return parseConfigFile(path, await io.readFile(path, MAX_FILE_BYTES));
  } catch (error) {
    if (!isRingbackError(error, "OPTION_INVALID")) throw error;
    const hint = "The path of a JSON file that this user may read.";
    return failedConfigFile(path, "names a file that cannot be read", hint);
  }
}
