import { join } from "node:path";
import type { Logger } from "../../logger.ts";
import { systemClock } from "../../platform/clock.ts";
import { systemRandom } from "../../platform/random.ts";
import type { Store } from "../../store/types.ts";
import type { StoreSettings } from "../store-settings.ts";
import { type Erasure, eraseSubject } from "./erase-subject.ts";

/**
 * Erases somebody from the command line, also beside a running gateway.
 *
 * @param subject As `readSubject` gives it.
 * @throws {RingbackError} `STORE_UNAVAILABLE`.
 */
export function eraseInStore(
  subject: string,
  store: Store,
  { folder }: StoreSettings,
  logger: Logger,
): Promise<Erasure | "live"> {
  const recordingsFolder = join(folder, "recordings");
  const deps = { store, recordingsFolder, clock: systemClock, random: systemRandom, logger };
  return eraseSubject(subject, "cli", deps);
}
