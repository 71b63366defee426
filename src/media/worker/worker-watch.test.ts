import { expect, test } from "vitest";
import { ManualClock } from "../../testing/manual-clock.ts";
import { WorkerWatch } from "./worker-watch.ts";

function setUp() {
  const time = new ManualClock();
  const worker = { beats: 0, calls: 1 };
  const silent: number[] = [];
  const watch = new WorkerWatch({
    timers: time,
    readBeats: () => worker.beats,
    hasCalls: () => worker.calls > 0,
    onSilent: (silentMs) => silent.push(silentMs),
  });
  return { time, worker, silent, watch };
}

test("a worker whose heart beats is left alone", () => {
  const { time, worker, silent, watch } = setUp();
  watch.start();
  for (let second = 0; second < 60; second += 1) {
    worker.beats += 1;
    time.advance(1_000);
  }
  expect(silent).toEqual([]);
});

test("one that is silent for 5 s while it has calls is told of, once", () => {
  const { time, worker, silent, watch } = setUp();
  watch.start();
  worker.beats += 1;
  time.advance(5_900);
  expect(silent).toEqual([]);
  time.advance(100);
  expect(silent).toEqual([5_000]);
  time.advance(60_000);
  expect(silent).toHaveLength(1);
  expect(time.pendingTimers).toBe(0);
});

test("one without calls may be silent, and is watched again with the next call", () => {
  const { time, worker, silent, watch } = setUp();
  watch.start();
  time.advance(4_000);
  worker.calls = 0;
  time.advance(60_000);
  expect(time.pendingTimers).toBe(0);
  worker.calls = 1;
  watch.start();
  time.advance(4_900);
  expect(silent).toEqual([]);
  time.advance(100);
  expect(silent).toHaveLength(1);
});

test("a hold-up of the watching thread, or of the whole machine, is no silence of the worker", () => {
  const { time, silent, watch } = setUp();
  watch.start();
  time.stall(60_000);
  expect(silent).toEqual([]);
});

test("starting again changes nothing, and stopping leaves no timer", () => {
  const { time, silent, watch } = setUp();
  watch.start();
  time.advance(3_000);
  watch.start();
  expect(time.pendingTimers).toBe(1);
  time.advance(2_000);
  expect(silent).toHaveLength(1);
  watch.start();
  watch.stop();
  watch.stop();
  expect(time.pendingTimers).toBe(0);
});
