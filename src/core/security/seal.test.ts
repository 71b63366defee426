import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { deriveKey } from "./derive-key.ts";
import { isSealed, seal, unseal } from "./seal.ts";

const key = deriveKey(new Uint8Array(32).fill(3), "secrets-at-rest");
const SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

test("a sealed text opens with its key in its place, and shows nothing of itself before", () => {
  const sealed = seal(key, SECRET, "whe_1", randomBytes);
  expect(isSealed(sealed)).toBe(true);
  expect(sealed).not.toContain(SECRET.slice(6, 12));
  expect(unseal(key, sealed, "whe_1")).toBe(SECRET);
  expect(seal(key, SECRET, "whe_1", randomBytes)).not.toBe(sealed);
});

test("it does not open with another key, in another place, or changed at any byte", () => {
  const sealed = seal(key, SECRET, "whe_1", randomBytes);
  expect(unseal(deriveKey(new Uint8Array(32).fill(4), "secrets-at-rest"), sealed, "whe_1")).toBeNull();
  expect(unseal(key, sealed, "whe_2")).toBeNull();
  expect(unseal(key, SECRET, "whe_1")).toBeNull();
  expect(unseal(key, "sealed:v1:", "whe_1")).toBeNull();
  const bytes = Buffer.from(sealed.slice("sealed:v1:".length), "base64url");
  for (let index = 0; index < bytes.length; index += 1) {
    const changed = Buffer.from(bytes);
    changed[index] = changed[index]! ^ 1;
    expect(unseal(key, `sealed:v1:${changed.toString("base64url")}`, "whe_1")).toBeNull();
  }
});
