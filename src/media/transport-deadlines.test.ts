import { expect, test } from "vitest";
import { WheelEntry } from "../core/transport/timer-wheel.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { TransportDeadlines } from "./transport-deadlines.ts";

test("any number of deadlines take one timer, and none when nothing waits", () => {
  const clock = new ManualClock({ nowMs: 1_000 });
  const deadlines = new TransportDeadlines(clock, clock);
  const times: number[] = [];
  const entries = Array.from({ length: 50 }, () => new WheelEntry((nowMs) => times.push(nowMs)));
  expect(clock.pendingTimers).toBe(0);
  for (const [i, entry] of entries.entries()) deadlines.set(entry, 1_500 - i * 10);
  expect(clock.pendingTimers).toBe(1);
  clock.advance(100);
  expect(times).toEqual([1_010, 1_020, 1_030, 1_040, 1_050, 1_060, 1_070, 1_080, 1_090, 1_100]);
  for (const entry of entries) deadlines.remove(entry);
  expect(clock.pendingTimers).toBe(0);
});

test("a deadline that moves back is kept, one that moves forward is not missed", () => {
  const clock = new ManualClock();
  const deadlines = new TransportDeadlines(clock, clock);
  const times: number[] = [];
  const entry = new WheelEntry((nowMs) => times.push(nowMs));
  deadlines.set(entry, 50);
  deadlines.set(entry, 4_000);
  clock.advance(1_000);
  expect(times).toEqual([]);
  deadlines.set(entry, 1_200);
  clock.advance(200);
  expect(times).toEqual([1_200]);
  expect(clock.pendingTimers).toBe(0);
});

test("after a standstill the sockets are read first: what was waited for may have come", () => {
  const clock = new ManualClock({ nowMs: 10_000 });
  const deadlines = new TransportDeadlines(clock, clock);
  const times: number[] = [];
  const answered = new WheelEntry((nowMs) => times.push(nowMs));
  const silent = new WheelEntry((nowMs) => times.push(-nowMs));
  deadlines.set(answered, 10_500);
  deadlines.set(silent, 10_500);
  clock.stall(35_000);
  expect(times).toEqual([]);
  clock.advance(10);
  deadlines.set(answered, 60_000);
  clock.advance(5_000);
  expect(times).toEqual([-45_100]);
  // Long without a deadline is no standstill.
  clock.advance(600_000);
  times.length = 0;
  deadlines.set(silent, clock.nowMs() + 20);
  clock.advance(100);
  expect(times).toEqual([-650_030]);
});

test("what is due may set deadlines anew, and time that has passed meanwhile is made up for", () => {
  const clock = new ManualClock();
  const deadlines = new TransportDeadlines(clock, clock);
  const times: number[] = [];
  const entry: WheelEntry = new WheelEntry((nowMs) => {
    times.push(nowMs);
    if (times.length < 3) deadlines.set(entry, nowMs + 20);
  });
  deadlines.set(entry, 20);
  clock.stall(100);
  clock.advance(100);
  expect(times).toEqual([100, 120, 140]);
  expect(clock.pendingTimers).toBe(0);
});
