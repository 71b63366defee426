import { RingbackError } from "../../errors.ts";
import type { ToneSpec } from "./types.ts";

export function optionError(option: string, problem: string): RingbackError<"OPTION_INVALID"> {
  return new RingbackError("OPTION_INVALID", `${option} ${problem}.`, { details: { option } });
}

/** @throws {RingbackError} `OPTION_INVALID`. */
export function requireWhole(option: string, value: number | undefined, min: number, max: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= min && value <= max)) return;
  throw optionError(option, `must be a whole number from ${min} to ${max}, got ${value}`);
}

/** @throws {RingbackError} `OPTION_INVALID`. */
export function requireRange(option: string, value: number | undefined, min: number, max: number): void {
  if (value === undefined || (value >= min && value <= max)) return;
  throw optionError(option, `must be from ${min} to ${max}, got ${value}`);
}

/** @throws {RingbackError} `OPTION_INVALID`. */
export function requireTone({ frequencyHz, durationMs }: ToneSpec): void {
  const frequencies = [frequencyHz].flat();
  if (frequencies.length < 1 || frequencies.length > 2) {
    throw optionError("tone.frequencyHz", `must be one frequency or two, got ${frequencies.length}`);
  }
  for (const frequency of frequencies) requireRange("tone.frequencyHz", frequency, 50, 7_000);
  requireRange("tone.durationMs", durationMs, 20, 60_000);
}

const RATES_HZ: readonly number[] = [8_000, 16_000, 24_000, 48_000];

/** @throws {RingbackError} `OPTION_INVALID`. */
export function requireRate(rateHz: number): void {
  if (RATES_HZ.includes(rateHz)) return;
  throw optionError("rateHz", `must be 8000, 16000, 24000 or 48000, got ${rateHz}`);
}

const KEY = /^[0-9*#A-D]$/;

/** @throws {RingbackError} `OPTION_INVALID`. */
export function requireKey(option: string, key: string | null | undefined): void {
  if (key === null || key === undefined || KEY.test(key)) return;
  throw optionError(option, `must be one key of 0-9, *, #, A-D, or null, got ${JSON.stringify(key)}`);
}
