import { optionError } from "./simulator-error.ts";

// setTimeout fires at once for anything longer.
const MAX_DELAY_MS = 2_147_483_647;

/** @throws {RingbackError} `OPTION_INVALID`. */
export function requireDelayMs(option: string, valueMs: number): number {
  if (valueMs >= 0 && valueMs <= MAX_DELAY_MS) return valueMs;
  throw optionError(option, `${option} must be 0 to ${MAX_DELAY_MS} ms, got ${valueMs}`);
}
