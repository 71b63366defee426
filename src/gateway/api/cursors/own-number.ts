import type { ApiKeyRecord } from "../../../store/types.ts";
import { ApiProblem } from "../problems.ts";

/**
 * The phone number id that a list is narrowed to: the key's own, or the one asked for; undefined: all.
 * @throws {ApiProblem} `scope_missing` when a key of one number asks for another.
 */
export function narrowToKey(key: ApiKeyRecord, asked: string | undefined): string | undefined {
  if (key.phoneNumberId === null) return asked;
  if (asked === undefined || asked === key.phoneNumberId) return key.phoneNumberId;
  throw new ApiProblem("scope_missing", "The key is for another phone number.");
}

/** Whether a key may know of what belongs to a phone number. */
export function isOfKey(key: ApiKeyRecord, phoneNumberId: string | null): boolean {
  return key.phoneNumberId === null || key.phoneNumberId === phoneNumberId;
}

/** @throws {ApiProblem} `scope_missing` for a key of one number, where what is done concerns all of them. */
export function requireAllNumbers(key: ApiKeyRecord, what: string): void {
  if (key.phoneNumberId === null) return;
  throw new ApiProblem(
    "scope_missing",
    `${what} concerns all phone numbers, and this key is for one of them.`,
  );
}
