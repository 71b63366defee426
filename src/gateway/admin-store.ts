import { join } from "node:path";
import { silentLogger } from "../logger.ts";
import { systemClock } from "../platform/clock.ts";
import { systemRandom } from "../platform/random.ts";
import { systemTimers } from "../platform/timers.ts";
import { openStore, type Store } from "../store/index.ts";
import type { StoreSettings } from "./store-settings.ts";

/**
 * Opens a gateway's store to look at it and to administer it, also while the gateway runs. Close it.
 * @throws {RingbackError} `STORE_UNUSABLE`.
 */
export function openAdminStore({ folder, url }: Pick<StoreSettings, "folder" | "url">): Promise<Store> {
  const place = url === undefined ? { file: join(folder, "ringback.db") } : { url };
  return openStore(
    { ...place, node: null },
    { clock: systemClock, timers: systemTimers, random: systemRandom, logger: silentLogger },
  );
}
