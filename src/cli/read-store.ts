import { ConfigLayers } from "../gateway/config-layers.ts";
import { SettingsReader } from "../gateway/settings-reader.ts";
import { readStore, type StoreSettings } from "../gateway/store-settings.ts";
import { readSecretFile } from "../platform/secret-file.ts";
import type { CliIo } from "./io.ts";
import { readSettings } from "./read-config.ts";

/**
 * Where the store is, for commands that need nothing else: they work without the settings of WhatsApp.
 *
 * @param configPath Of `--config`.
 * @throws {RingbackError} `CONFIG_INVALID`.
 */
export async function readStoreSettings(io: CliIo, configPath: string | undefined): Promise<StoreSettings> {
  const { env, file } = await readSettings(io, configPath);
  const reader = new SettingsReader(new ConfigLayers(env, file).merged, readSecretFile);
  reader.problems(file?.problems ?? []);
  const settings = readStore(reader, "ringback");
  reader.throwProblems();
  return settings;
}
