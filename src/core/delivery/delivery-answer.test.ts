import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type DeliveryVerdict, judgeStatus, readRetryAfter } from "./delivery-answer.ts";

test.each<[DeliveryVerdict, readonly number[]]>([
  ["delivered", [200, 201, 202, 204, 299]],
  ["gone", [410]],
  ["failed", [301, 302, 303, 304, 307, 308, 400, 401, 404, 409, 429, 500, 502, 503, 504, 599]],
])("an answer is taken as %s: %j", (verdict, statuses) => {
  for (const status of statuses) expect([status, judgeStatus(status)]).toEqual([status, verdict]);
});

describe("Retry-After", () => {
  const NOW_MS = Date.UTC(2026, 0, 1);

  test("is read in seconds, of 429 and 503 alone", () => {
    expect(readRetryAfter(429, "120", NOW_MS)).toBe(120_000);
    expect(readRetryAfter(503, " 0 ", NOW_MS)).toBe(0);
    expect(readRetryAfter(500, "120", NOW_MS)).toBeNull();
    expect(readRetryAfter(301, "120", NOW_MS)).toBeNull();
    expect(readRetryAfter(429, null, NOW_MS)).toBeNull();
  });

  test("is read as a date, in the past too", () => {
    expect(readRetryAfter(503, "Thu, 01 Jan 2026 00:01:30 GMT", NOW_MS)).toBe(90_000);
    expect(readRetryAfter(503, "Sun, 06 Nov 1994 08:49:37 GMT", NOW_MS)).toBe(0);
  });

  test("means the same as Date does", () => {
    const years = {
      min: new Date(Date.UTC(2000, 0, 1)),
      max: new Date(Date.UTC(2400, 0, 1)),
      noInvalidDate: true,
    };
    fc.assert(
      fc.property(fc.date(years), (date) => {
        const ms = Math.floor(date.getTime() / 1_000) * 1_000;
        expect(readRetryAfter(503, date.toUTCString(), 0)).toBe(ms);
      }),
    );
  });

  test.each([
    "",
    "soon",
    "-5",
    "1.5",
    "1e9",
    "99999999999",
    "2026-01-01T00:00:00Z",
    "Thu, 01 Foo 2026 00:00:00 GMT",
  ])("is not read of %j", (text) => {
    expect(readRetryAfter(429, text, NOW_MS)).toBeNull();
  });
});
