import { join } from "node:path";
import type { Logger } from "../../logger.ts";
import { systemClock } from "../../platform/clock.ts";
import { systemRandom } from "../../platform/random.ts";
import { systemTimers } from "../../platform/timers.ts";
import { openStore } from "../../store/index.ts";
import type { StoreSettings } from "../store-settings.ts";
import { type Erasure, eraseSubject } from "./erase-subject.ts";

/**
 * Erases somebody in the store that settings name, beside a gateway that may be running with it.
 *
 * @param subject As `readSubject` gives it.
 * @throws {RingbackError} `STORE_UNUSABLE`, `STORE_UNAVAILABLE`.
 */
export async function eraseInStore(
  subject: string,
  { folder, url }: StoreSettings,
  logger: Logger,
): Promise<Erasure | "live"> {
  const deps = { clock: systemClock, timers: systemTimers, random: systemRandom, logger };
  const place = url === undefined ? { file: join(folder, "ringback.db") } : { url };
  const store = await openStore({ ...place, node: null }, deps);
  try {
    return await eraseSubject(subject, "cli", {
      store,
      recordingsFolder: join(folder, "recordings"),
      ...deps,
    });
  } finally {
    await store.close();
  }
}
