import { expect, test } from "vitest";
import { hasEtag, rangeCounts, readRange } from "./byte-range.ts";

test.each([
  ["bytes=0-0", 0, 0],
  ["bytes=0-9", 0, 9],
  ["bytes=5-", 5, 99],
  ["bytes=90-1000", 90, 99],
  ["bytes=-1", 99, 99],
  ["bytes=-1000", 0, 99],
  ["Bytes = 2-3", 2, 3],
  ["bytes=0-99999999999999999999999", 0, 99],
])("%s of a file of 100 bytes is %d to %d", (header, begin, end) => {
  expect(readRange(header, 100)).toEqual({ begin, end });
});

test.each(["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=99999999999999999999999-"])(
  "%s has no byte of a file of 100 bytes",
  (header) => {
    expect(readRange(header, 100)).toBe("none");
  },
);

test.each([
  undefined,
  "",
  "bytes",
  "bytes=",
  "bytes=-",
  "bytes=a-b",
  "bytes=5-2",
  "bytes=0-1,5-6",
  "items=0-5",
  "bytes=0x0-0x5",
  "bytes=1.5-2",
  "bytes=--5",
])("%s is ignored", (header) => {
  expect(readRange(header, 100)).toBe("whole");
});

test("an empty file has no ranges", () => {
  expect(readRange("bytes=0-", 0)).toBe("none");
  expect(readRange("bytes=-5", 0)).toBe("none");
});

test("entity tags are compared as they are to be", () => {
  expect(hasEtag('"a", W/"b"', '"b"')).toBe(true);
  expect(hasEtag("*", '"b"')).toBe(true);
  expect(hasEtag('"a"', '"b"')).toBe(false);
  expect(hasEtag(undefined, '"b"')).toBe(false);
  expect(rangeCounts(undefined, '"b"')).toBe(true);
  expect(rangeCounts('"b"', '"b"')).toBe(true);
  expect(rangeCounts('W/"b"', '"b"')).toBe(false);
  expect(rangeCounts("Thu, 26 Nov 2026 01:00:00 GMT", '"b"')).toBe(false);
});
