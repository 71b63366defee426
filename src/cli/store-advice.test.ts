import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type ErrorDetails, RingbackError } from "../errors.ts";
import { storeAdvice } from "./store-advice.ts";

type Reason = ErrorDetails["STORE_UNUSABLE"]["reason"];
const source = readFileSync(new URL("../errors.ts", import.meta.url), "utf8");
const body = /STORE_UNUSABLE: \{([\s\S]*?)\};/.exec(source)?.[1] ?? "";
const reasons = [...body.matchAll(/"([a-z-]+)"/g)].map((match) => match[1] as Reason);

test("each reason has a next step, for a file and for a server", () => {
  expect(reasons.length).toBeGreaterThan(5);
  for (const reason of reasons) {
    const error = new RingbackError("STORE_UNUSABLE", "It cannot be opened.", { details: { reason } });
    expect(storeAdvice(error, false)).toMatch(/[A-Z_]{4}|npm|backup/);
    expect(storeAdvice(error, true)).toMatch(/[A-Z_]{4}|npm|backup/);
  }
});

test("other errors have none", () => {
  expect(storeAdvice(new Error("something else"), false)).toBe(null);
});
