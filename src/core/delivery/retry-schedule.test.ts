import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type FailedAttempt,
  MIN_ATTEMPTS,
  RETRY_DELAYS_MS,
  RETRY_JITTER,
  RETRY_LIMIT_MS,
  retryAt,
} from "./retry-schedule.ts";

const FIRST_MS = 1_767_225_600_000;
const HOUR_MS = 3_600_000;

/** Fails at once each time: when the attempts are made, since the first one. */
function attemptTimes(
  fraction: (attempt: number) => number,
  firstMs = 0,
  retryAfterMs: number | null = null,
): number[] {
  const times = [firstMs];
  for (;;) {
    const sinceMs = times.at(-1)!;
    const next = retryAt({
      attempts: times.length,
      firstAtMs: FIRST_MS,
      nowMs: FIRST_MS + sinceMs,
      retryAfterMs,
      fraction: fraction(times.length),
    });
    if (next === null) return times;
    times.push(next - FIRST_MS);
    if (times.length > 10_000) throw new Error("It does not end.");
  }
}

const anyFraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test("without chance, attempts are made after 5 s, 30 s, 2 min, 10 min, 1 h, each 6 h, and at 24 h for the last time", () => {
  const seconds = attemptTimes(() => 0.5).map((ms) => ms / 1_000);
  expect(seconds).toEqual([0, 5, 35, 155, 755, 4_355, 25_955, 47_555, 69_155, 86_400]);
});

describe("whatever chance does", () => {
  test("each wait is its own by up to a fifth, and the last attempt is at the end of 24 h", () => {
    fc.assert(
      fc.property(fc.array(anyFraction, { minLength: 20, maxLength: 20 }), (fractions) => {
        const times = attemptTimes((attempt) => fractions[attempt % 20]!);
        expect(times.at(-1)).toBeGreaterThanOrEqual(RETRY_LIMIT_MS);
        expect(times.at(-1)).toBeLessThan(RETRY_LIMIT_MS + 1);
        expect(times.length).toBeGreaterThanOrEqual(9);
        expect(times.length).toBeLessThanOrEqual(12);
        for (let i = 1; i < times.length - 1; i += 1) {
          const ratio =
            (times[i]! - times[i - 1]!) / RETRY_DELAYS_MS[Math.min(i, RETRY_DELAYS_MS.length) - 1]!;
          expect(ratio).toBeGreaterThanOrEqual(1 - RETRY_JITTER - 1e-6);
          expect(ratio).toBeLessThanOrEqual(1 + RETRY_JITTER + 1e-6);
        }
      }),
    );
  });

  test("a delivery is given up only after 24 h and five attempts, however late the first one was", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 30 * 24 }), anyFraction, (hoursLate, fraction) => {
        const times = attemptTimes(() => fraction, hoursLate * HOUR_MS);
        expect(times.length).toBeGreaterThanOrEqual(MIN_ATTEMPTS);
        expect(times.at(-1)).toBeGreaterThanOrEqual(RETRY_LIMIT_MS);
      }),
    );
  });

  test("the next attempt is later than now, also with a clock that jumps", () => {
    const any = fc.record<FailedAttempt>({
      attempts: fc.integer({ min: 1, max: 1_000 }),
      firstAtMs: fc.constant(FIRST_MS),
      nowMs: fc.integer({ min: FIRST_MS - 48 * HOUR_MS, max: FIRST_MS + 48 * HOUR_MS }),
      retryAfterMs: fc.option(fc.integer({ min: -HOUR_MS, max: 1_000 * HOUR_MS })),
      fraction: anyFraction,
    });
    fc.assert(
      fc.property(any, (failed) => {
        const next = retryAt(failed);
        if (next !== null) expect(next).toBeGreaterThan(failed.nowMs);
        else expect(failed.nowMs).toBeGreaterThanOrEqual(FIRST_MS + RETRY_LIMIT_MS);
      }),
    );
  });
});

describe("a receiver that says when to come back", () => {
  const ask = (retryAfterMs: number, fraction = 0): number => {
    const failed = { attempts: 1, firstAtMs: FIRST_MS, nowMs: FIRST_MS, retryAfterMs, fraction };
    return (retryAt(failed) ?? 0) - FIRST_MS;
  };

  test("is not asked earlier, nor much later", () => {
    expect(ask(90_000)).toBe(90_000);
    expect(ask(90_000, 0.999_999)).toBeLessThanOrEqual(108_000);
  });

  test("is asked after a second at the soonest, after an hour at the latest", () => {
    expect(ask(0)).toBe(1_000);
    expect(ask(7 * 24 * HOUR_MS)).toBe(HOUR_MS);
  });

  test("is given up like others after 24 h", () => {
    const times = attemptTimes(() => 0.5, 0, HOUR_MS);
    expect(times.at(-1)).toBeGreaterThanOrEqual(RETRY_LIMIT_MS);
    expect(times.at(-1)).toBeLessThan(RETRY_LIMIT_MS + 1.2 * HOUR_MS);
  });
});
