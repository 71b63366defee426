import { isRingbackError } from "../errors.ts";
import { openAdminStore } from "../gateway/admin-store.ts";
import { ConfigLayers } from "../gateway/config-layers.ts";
import { SettingsReader } from "../gateway/settings-reader.ts";
import { readStore, type StoreSettings } from "../gateway/store-settings.ts";
import { readHostName } from "../platform/env.ts";
import { readSecretFile } from "../platform/secret-file.ts";
import type { CliIo } from "./io.ts";
import { readSettings } from "./read-config.ts";
import { storeAdvice } from "./store-advice.ts";

type AdminStore = Awaited<ReturnType<typeof openAdminStore>>;

/**
 * Works on the store that the settings name. Of all settings, those of the store alone are asked for. What is wrong with them, or with
 * the store, is told, with the exit code 1.
 * @param path Of `--config`.
 */
export async function withAdminStore(
  io: CliIo,
  path: string | undefined,
  work: (store: AdminStore, settings: StoreSettings) => Promise<void>,
): Promise<void> {
  const { env, file } = await readSettings(io, path);
  const reader = new SettingsReader(new ConfigLayers(env, file).merged, readSecretFile);
  reader.problems(file?.problems ?? []);
  try {
    const settings = readStore(reader, readHostName());
    reader.throwProblems();
    const store = await openOrAdvise(settings, io);
    if (store === null) return;
    try {
      await work(store, settings);
    } finally {
      await store.close();
    }
  } catch (error) {
    if (!isRingbackError(error, "CONFIG_INVALID")) throw error;
    for (const { name, problem, hint } of error.details.problems) io.err(`${name} ${problem}\n  ${hint}`);
    io.setExitCode(1);
  }
}

async function openOrAdvise(
  settings: Parameters<typeof openAdminStore>[0],
  io: CliIo,
): Promise<AdminStore | null> {
  try {
    return await openAdminStore(settings);
  } catch (error) {
    const advice = storeAdvice(error, settings.url !== undefined);
    if (advice === null || !(error instanceof Error)) throw error;
    io.err(`ringback: ${error.message}\n  ${advice}`);
    io.setExitCode(1);
    return null;
  }
}
