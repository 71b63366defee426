import { silentLogger } from "../../src/logger.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { systemRandom } from "../../src/platform/random.ts";
import { systemTimers } from "../../src/platform/timers.ts";
import type { StoreDeps } from "../../src/store/index.ts";

/** Without the tests' own libraries, which a child process has none of. */
export const storeDeps: StoreDeps = {
  clock: systemClock,
  timers: systemTimers,
  random: systemRandom,
  logger: silentLogger,
};
