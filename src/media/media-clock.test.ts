import { describe, expect, test } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import { MediaClock } from "./media-clock.ts";

function setUp(time = new ManualClock({ nowMs: 1234.5 })) {
  const errors: unknown[] = [];
  const clock = new MediaClock({ clock: time, timers: time, onError: (error) => errors.push(error) });
  const recorder = () => {
    const slots: number[] = [];
    return { slots, tick: (slot: number) => void slots.push(slot) };
  };
  return { time, clock, errors, recorder };
}

describe("MediaClock", () => {
  test("ticks every ticker once per slot, without drift", () => {
    const { time, clock, recorder } = setUp();
    const [one, two] = [recorder(), recorder()];
    clock.add(one);
    clock.add(two);
    time.advance(60_000);
    expect(one.slots).toEqual(Array.from({ length: 3000 }, (_, index) => index + 1));
    expect(two.slots).toEqual(one.slots);
    expect(clock.stats()).toEqual({ ticks: 3000, lateTicks: 0, skippedSlots: 0 });
  });

  test("a ticker added within a slot first ticks at the next one", () => {
    const { time, clock, recorder } = setUp();
    time.advance(47);
    const ticker = recorder();
    clock.add(ticker);
    expect(clock.slot).toBe(2);
    time.advance(13);
    expect(ticker.slots).toEqual([3]);
  });

  test("a slot that began early is the one that time is in", () => {
    const time = new ManualClock();
    const timers = {
      setTimer: (delayMs: number, callback: () => void) => time.setTimer(delayMs - 0.5, callback),
      clearTimer: (handle: object) => time.clearTimer(handle),
    };
    const clock = new MediaClock({ clock: time, timers, onError: () => {} });
    const slots: number[] = [];
    clock.add({ tick: () => void slots.push(clock.slot) });
    time.advance(60);
    expect(slots).toEqual([1, 2, 3]);
  });

  test("timers that fire a little early or late do not add up", () => {
    const time = new ManualClock();
    let jitterMs = 0;
    const timers = {
      setTimer: (delayMs: number, callback: () => void) => {
        jitterMs = (jitterMs + 1) % 4;
        return time.setTimer(Math.trunc(delayMs) + jitterMs - 1, callback);
      },
      clearTimer: (handle: object) => time.clearTimer(handle),
    };
    const clock = new MediaClock({ clock: time, timers, onError: () => {} });
    const slots: number[] = [];
    clock.add({ tick: (slot) => void slots.push(slot) });
    time.advance(20_003);
    expect(slots).toEqual(Array.from({ length: 1000 }, (_, index) => index + 1));
  });

  test("missed slots are skipped, not made up for in a burst", () => {
    const { time, clock, recorder } = setUp();
    const ticker = recorder();
    clock.add(ticker);
    time.advance(40);
    time.stall(110);
    time.advance(40);
    expect(ticker.slots).toEqual([1, 2, 7, 8, 9]);
    expect(clock.stats()).toEqual({ ticks: 5, lateTicks: 1, skippedSlots: 4 });
  });

  test("a ticker that throws is removed and reported, the others go on", () => {
    const { time, clock, errors, recorder } = setUp();
    const good = recorder();
    const fault = new Error("broken ticker");
    let calls = 0;
    clock.add({
      tick: () => {
        calls += 1;
        throw fault;
      },
    });
    clock.add(good);
    time.advance(60);
    expect(calls).toBe(1);
    expect(errors).toEqual([fault]);
    expect(good.slots).toEqual([1, 2, 3]);
  });

  test("there is no timer while there is no ticker, and a pause is not counted as skipped", () => {
    const { time, clock, recorder } = setUp();
    expect(time.pendingTimers).toBe(0);
    const ticker = recorder();
    clock.add(ticker);
    expect(time.pendingTimers).toBe(1);
    time.advance(20);
    clock.remove(ticker);
    expect(time.pendingTimers).toBe(0);
    time.advance(1000);
    clock.add(ticker);
    time.advance(20);
    expect(ticker.slots).toEqual([1, 52]);
    expect(clock.stats().skippedSlots).toBe(0);
  });

  test("a ticker may remove itself or others while ticking", () => {
    const { time, clock, recorder } = setUp();
    const last = recorder();
    const first = {
      tick: () => {
        clock.remove(first);
        clock.remove(last);
      },
    };
    clock.add(first);
    clock.add(last);
    time.advance(60);
    expect(last.slots).toEqual([]);
    expect(time.pendingTimers).toBe(0);
  });

  test("a ticker that puts another one in its place leaves one timer", () => {
    const { time, clock, recorder } = setUp();
    const second = recorder();
    const first = {
      tick: () => {
        clock.remove(first);
        clock.add(second);
      },
    };
    clock.add(first);
    time.advance(20);
    expect(time.pendingTimers).toBe(1);
    time.advance(40);
    expect(second.slots.slice(-2)).toEqual([2, 3]);
  });
});
