import { expect, test } from "vitest";
import { callTag } from "./call-tag.ts";

test("the tag of a call tells nothing of the number in its id", () => {
  const id = "wacid.HBgLMTIxODU1NTI4MjgVAgARGCAyODRQIAFRoA";
  expect(Buffer.from(id.slice(6), "base64").toString("latin1")).toContain("12185552828");
  expect(id.endsWith(callTag(id))).toBe(true);
  expect(Buffer.from(callTag(id), "base64").toString("latin1")).not.toMatch(/\d{5}/);
});
