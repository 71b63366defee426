import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TimerWheel, WheelEntry } from "./timer-wheel.ts";

/** Runs a wheel as its owner would: wakes it when it wants to be, from `fromMs` to `untilMs`. */
function run(wheel: TimerWheel, untilMs: number, fromMs = 0): void {
  while (wheel.wakeMs <= untilMs) wheel.advance(Math.max(wheel.wakeMs, fromMs));
}

function recorder(times: number[]): WheelEntry {
  return new WheelEntry((nowMs) => times.push(nowMs));
}

describe("a timer wheel", () => {
  test("calls an entry once, at its deadline or within a slot after it", () => {
    const wheel = new TimerWheel(1_000);
    const times: number[] = [];
    wheel.set(recorder(times), 1_052);
    run(wheel, 10_000);
    expect(times).toEqual([1_055]);
    expect(wheel.wakeMs).toBe(Number.POSITIVE_INFINITY);
  });

  test("does not wake while it is empty, and not for what was removed", () => {
    const wheel = new TimerWheel(0);
    const entry = recorder([]);
    expect(wheel.wakeMs).toBe(Number.POSITIVE_INFINITY);
    wheel.set(entry, 20);
    expect(wheel.wakeMs).toBe(20);
    wheel.remove(entry);
    wheel.remove(entry);
    expect(wheel.wakeMs).toBe(Number.POSITIVE_INFINITY);
    wheel.set(entry, Number.POSITIVE_INFINITY);
    expect(wheel.size).toBe(0);
  });

  test("a moved entry comes at its last deadline only", () => {
    const wheel = new TimerWheel(0);
    const times: number[] = [];
    const entry = recorder(times);
    for (const deadlineMs of [50, 500, 20, 300]) wheel.set(entry, deadlineMs);
    expect(wheel.size).toBe(1);
    run(wheel, 1_000);
    expect(times).toEqual([300]);
  });

  test("a deadline further off than the wheel is round goes round", () => {
    const wheel = new TimerWheel(0);
    const times: number[] = [];
    wheel.set(recorder(times), 30_000);
    run(wheel, 29_999);
    expect(times).toEqual([]);
    run(wheel, 40_000);
    expect(times).toEqual([30_000]);
  });

  test("a deadline that has passed comes with the next advance", () => {
    const wheel = new TimerWheel(1_000);
    const times: number[] = [];
    wheel.set(recorder(times), 3);
    expect(wheel.wakeMs).toBe(1_005);
    wheel.advance(1_005);
    expect(times).toEqual([1_005]);
  });

  test("after a long stall everything due comes at once", () => {
    const wheel = new TimerWheel(0);
    const times: number[] = [];
    for (const deadlineMs of [5, 6_000, 20_000, 100_000]) wheel.set(recorder(times), deadlineMs);
    wheel.advance(60_000);
    expect(times).toEqual([60_000, 60_000, 60_000]);
    expect(wheel.size).toBe(1);
  });

  test("what is called may set itself again and remove others that are due", () => {
    const wheel = new TimerWheel(0);
    const log: string[] = [];
    const victim = new WheelEntry(() => log.push("victim"));
    const again: WheelEntry = new WheelEntry((nowMs) => {
      log.push(`again ${nowMs}`);
      wheel.remove(victim);
      if (nowMs < 30) wheel.set(again, nowMs);
    });
    wheel.set(again, 10);
    wheel.set(victim, 10);
    run(wheel, 100);
    expect(log).toEqual(["again 10", "again 15", "again 20", "again 25", "again 30"]);
    expect(wheel.size).toBe(0);
  });

  test("fires exactly what a sorted list would, never early and at most a slot late", () => {
    const step = fc.record({
      entry: fc.nat(9),
      delayMs: fc.oneof(fc.integer({ min: -50, max: 200 }), fc.integer({ min: 0, max: 20_000 })),
      isRemoved: fc.boolean(),
      waitMs: fc.nat(4_000),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let nowMs = 0;
        const wheel = new TimerWheel(nowMs);
        const deadlines = new Map<number, number>();
        const entries = Array.from({ length: 10 }, (_, i) => {
          return new WheelEntry((atMs) => {
            const deadlineMs = deadlines.get(i) ?? Number.NaN;
            expect(atMs).toBeGreaterThanOrEqual(deadlineMs);
            expect(atMs - deadlineMs).toBeLessThanOrEqual(5);
            deadlines.delete(i);
          });
        });
        for (const { entry, delayMs, isRemoved, waitMs } of steps) {
          const target = entries[entry] ?? new WheelEntry(() => {});
          if (isRemoved) {
            wheel.remove(target);
            deadlines.delete(entry);
          } else {
            wheel.set(target, nowMs + delayMs);
            deadlines.set(entry, Math.max(nowMs + delayMs, nowMs));
          }
          run(wheel, nowMs + waitMs, nowMs);
          nowMs += waitMs;
          expect(wheel.size).toBe(deadlines.size);
          for (const deadlineMs of deadlines.values()) expect(deadlineMs).toBeGreaterThan(nowMs - 5);
        }
      }),
    );
  });
});
