import { isSecret, SETTINGS } from "./config-catalogue.ts";
import type { ConfigFile } from "./config-file.ts";
import type { Environment } from "./settings-reader.ts";

/** Where a setting is from. */
export type SettingOrigin = "default" | "environment" | "file";

/** Settings of the environment and of a file, as one. The environment wins, and what is empty is not set. */
export class ConfigLayers {
  readonly merged: Environment;
  readonly #env: Environment;

  constructor(env: Environment, file: ConfigFile | null) {
    this.#env = env;
    const merged: Record<string, string | undefined> = { ...file?.settings };
    for (const setting of SETTINGS) {
      const names = isSecret(setting) ? [setting.name, `${setting.name}_FILE`] : [setting.name];
      if (!names.some((name) => isSet(env, name))) continue;
      // A secret of the environment is not set twice because the file names one, too.
      for (const name of names) merged[name] = env[name];
    }
    this.merged = merged;
  }

  originOf(name: string): SettingOrigin {
    if (!isSet(this.merged, name)) return "default";
    return isSet(this.#env, name) ? "environment" : "file";
  }
}

export function isSet(env: Environment, name: string): boolean {
  return (env[name]?.trim() ?? "") !== "";
}
