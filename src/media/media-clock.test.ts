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
    // It waited for 25 ms at the beginning, and is 5 ms behind at the end.
    expect(two.slots).toHaveLength(2999);
    expect(clock.stats()).toEqual({ ticks: 5999, lateTicks: 0, skippedSlots: 0, worstLateMs: 0 });
  });

  test.each([0, 1, 2.4, 2.6, 4.9, 5, 11, 17.5, 19.9])(
    "the first ticker of a slot, added %d ms into it, ticks some 20 ms later and every 20 ms from then on",
    (intoSlotMs) => {
      const { time, clock } = setUp();
      time.advance(40 + intoSlotMs);
      const addedMs = time.nowMs();
      const timesMs: number[] = [];
      const slots: number[] = [];
      const slot = clock.add({
        tick: (number) => {
          timesMs.push(time.nowMs());
          slots.push(number);
        },
      });
      time.advance(100);
      expect(Math.abs(timesMs[0]! - addedMs - 20)).toBeLessThanOrEqual(2.5);
      expect(slots.slice(0, 4)).toEqual([slot + 1, slot + 2, slot + 3, slot + 4]);
      expect(timesMs.slice(1, 4).map((ms, i) => Math.round(ms - timesMs[i]!))).toEqual([20, 20, 20]);
    },
  );

  test("tickers are spread evenly over the slot, whenever they come, and none waits for more than 25 ms", () => {
    const { time, clock } = setUp();
    const firstGapsMs: number[] = [];
    const ticksAt = new Map<number, number>();
    for (let index = 0; index < 40; index += 1) {
      const addedMs = time.nowMs();
      let last = clock.add({
        tick: (slot) => {
          if (slot <= last) return;
          last = slot;
          firstGapsMs[index] ??= time.nowMs() - addedMs;
          ticksAt.set(time.nowMs() % 20, (ticksAt.get(time.nowMs() % 20) ?? 0) + 1);
        },
      });
      time.advance(index % 3);
    }
    time.advance(50);
    ticksAt.clear();
    time.advance(20);
    expect([...ticksAt.values()]).toEqual([10, 10, 10, 10]);
    expect(Math.max(...firstGapsMs)).toBeLessThanOrEqual(25);
    expect(Math.min(...firstGapsMs)).toBeGreaterThan(5);
  });

  test("phases without a ticker wake nobody", () => {
    const time = new ManualClock();
    let wakeUps = 0;
    const timers = {
      setTimer: (delayMs: number, callback: () => void) =>
        time.setTimer(delayMs, () => {
          wakeUps += 1;
          callback();
        }),
      clearTimer: (handle: object) => time.clearTimer(handle),
    };
    const clock = new MediaClock({ clock: time, timers, onError: () => {} });
    const [one, two] = [{ tick: () => {} }, { tick: () => {} }];
    clock.add(one);
    time.advance(200);
    expect(wakeUps).toBe(10);
    clock.add(two);
    time.advance(200);
    expect(wakeUps).toBe(10 + 10 + 9);
    clock.remove(one);
    time.advance(200);
    expect(wakeUps).toBe(29 + 10);
  });

  test("a slot that began early is the one that a new ticker comes into", () => {
    const time = new ManualClock();
    const timers = {
      setTimer: (delayMs: number, callback: () => void) => time.setTimer(delayMs - 0.5, callback),
      clearTimer: (handle: object) => time.clearTimer(handle),
    };
    const clock = new MediaClock({ clock: time, timers, onError: () => {} });
    const added: number[] = [];
    const adds = { tick: () => void added.push(clock.add({ tick: () => {} })) };
    for (const ticker of [adds, { tick: () => {} }, { tick: () => {} }, { tick: () => {} }]) {
      clock.add(ticker);
      time.advance(5);
    }
    expect(added).toEqual([1]);
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
    expect(clock.stats()).toEqual({ ticks: 5, lateTicks: 1, skippedSlots: 4, worstLateMs: 90 });
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
    time.advance(65);
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
