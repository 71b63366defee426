import fc from "fast-check";
import { expect, test } from "vitest";
import { isoTime } from "./civil-date.ts";

test("a time is written as JavaScript writes it", () => {
  const lastMs = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
  for (const wallMs of [0, 951_782_400_000, 1_709_164_800_000, 4_107_542_399_999, lastMs]) {
    expect(isoTime(wallMs)).toBe(new Date(wallMs).toISOString());
  }
  fc.assert(
    fc.property(fc.integer({ min: 0, max: lastMs }), (wallMs) => {
      expect(isoTime(wallMs)).toBe(new Date(wallMs).toISOString());
    }),
  );
});

test("fractions of a millisecond are cut off", () => {
  expect(isoTime(1_700_000_000_123.9)).toBe("2023-11-14T22:13:20.123Z");
});
