import { didYouMean } from "../core/flow/suggest.ts";
import type { ConfigProblem } from "../errors.ts";
import { SETTING_NAMES } from "./config-catalogue.ts";
import type { Environment } from "./settings-reader.ts";

/** What a file of settings says, and what is wrong with it. */
export interface ConfigFile {
  /** As messages name it. */
  readonly path: string;
  readonly settings: Environment;
  readonly problems: readonly ConfigProblem[];
}

const FORM = 'A JSON object such as {"PORT": 3000, "REQUESTS_ALLOW": ["ivr.example.com"]}.';

/** Reads a file of settings: a JSON object with the names that the environment has. Never throws. */
export function parseConfigFile(path: string, content: string): ConfigFile {
  const value = parseObject(content);
  if (value === null) return failedConfigFile(path, "names a file that is no JSON object", FORM);
  const settings: Record<string, string> = {};
  const problems: ConfigProblem[] = [];
  for (const [name, entry] of Object.entries(value)) {
    const text = toText(name, entry);
    if (!SETTING_NAMES.has(name)) problems.push(unknownSetting(path, name));
    else if (text === null) problems.push(wrongType(path, name));
    else settings[name] = text;
  }
  return { path, settings, problems };
}

/** For one that cannot be read at all. */
export function failedConfigFile(path: string, problem: string, hint: string): ConfigFile {
  return {
    path,
    settings: {},
    problems: [{ name: "RINGBACK_CONFIG", problem: `${problem} (${path})`, hint }],
  };
}

function parseObject(content: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(content);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}

/** The same text that the environment would have; null for what it cannot have. `null` is not set. */
function toText(name: string, value: unknown): string | null {
  if (value === null) return "";
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean")
    return String(value);
  if (!Array.isArray(value) || !value.every((each) => typeof each === "string")) return null;
  // Arguments may have commas in them.
  return name === "SPEECH_ARGS" ? JSON.stringify(value) : value.join(",");
}

function unknownSetting(path: string, name: string): ConfigProblem {
  const shown = /^\w{1,64}$/.test(name) ? name : "a name";
  const hint = didYouMean(name, SETTING_NAMES).replace(/^; d/, "D");
  return {
    name: shown,
    problem: `is no setting (${path})`,
    hint: hint === "" ? "`ringback config print` lists all settings." : hint,
  };
}

function wrongType(path: string, name: string): ConfigProblem {
  return {
    name,
    problem: `is neither text, number, true, false nor a list of texts (${path})`,
    hint: FORM,
  };
}
