import type { ConfigProblem } from "../errors.ts";
import { isSecret, SETTINGS, type SettingInfo } from "./config-catalogue.ts";
import type { ConfigFile } from "./config-file.ts";
import { ConfigLayers, isSet } from "./config-layers.ts";
import type { Environment } from "./settings-reader.ts";

/** A setting as it may be shown to anybody. */
export interface ReportedSetting {
  readonly name: string;
  /** Masked where it is secret; null: it is not set, and has no default. */
  readonly value: string | null;
  /** `default`, `environment`, or the path of the file; for a secret that a file holds, that file's path. */
  readonly source: string;
}

/** Says nothing of a secret, not even how long it is. */
const MASK = "********";

/** Every setting with its value and where it is from, secrets masked. */
export function reportSettings(env: Environment, file: ConfigFile | null): readonly ReportedSetting[] {
  const layers = new ConfigLayers(env, file);
  return SETTINGS.map((setting) => {
    const { merged } = layers;
    const secretFile = `${setting.name}_FILE`;
    if (isSecret(setting) && isSet(merged, secretFile)) {
      return { name: setting.name, value: MASK, source: `secret file ${merged[secretFile]?.trim() ?? ""}` };
    }
    const origin = layers.originOf(setting.name);
    if (origin === "default") return { name: setting.name, value: setting.fallback, source: origin };
    const source = origin === "file" ? `file ${file?.path ?? ""}` : origin;
    return { name: setting.name, value: shown(setting, merged[setting.name]?.trim() ?? ""), source };
  });
}

/** One line for each setting, and the problems below. */
export function formatReport(
  settings: readonly ReportedSetting[],
  problems: readonly ConfigProblem[],
): readonly string[] {
  const names = Math.max(...settings.map(({ name }) => name.length));
  const values = Math.min(60, Math.max(...settings.map(({ value }) => value?.length ?? 0)));
  const lines = settings.map(({ name, value, source }) => {
    return `${name.padEnd(names)}  ${(value ?? "-").padEnd(values)}  ${source}`;
  });
  const faults = problems.flatMap(({ name, problem, hint }) => ["", `${name} ${problem}`, `  ${hint}`]);
  return [...lines, ...faults];
}

function shown({ kind }: SettingInfo, value: string): string {
  if (kind === "secret") return MASK;
  return kind === "text" ? value : maskedUrl(value);
}

/** User names stay, passwords and whatever the query says do not. */
function maskedUrl(text: string): string {
  if (!URL.canParse(text)) return MASK;
  const url = new URL(text);
  if (url.password !== "") url.password = MASK;
  for (const name of [...url.searchParams.keys()]) url.searchParams.set(name, MASK);
  url.hash = "";
  return url.href;
}
