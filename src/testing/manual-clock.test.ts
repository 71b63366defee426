import { expect, test } from "vitest";
import { ManualClock } from "./manual-clock.ts";

test("timers fire at their own time, in order of their due times", () => {
  const clock = new ManualClock();
  const fired: [string, number][] = [];
  clock.setTimer(30, () => fired.push(["late", clock.nowMs()]));
  clock.setTimer(10, () => {
    fired.push(["early", clock.nowMs()]);
    clock.setTimer(5, () => fired.push(["nested", clock.nowMs()]));
  });
  clock.advance(29);
  expect(fired).toEqual([
    ["early", 10],
    ["nested", 15],
  ]);
  clock.advance(1);
  expect(fired.at(-1)).toEqual(["late", 30]);
  expect(clock.pendingTimers).toBe(0);
});

test("a cleared timer never fires", () => {
  const clock = new ManualClock();
  let fired = false;
  const handle = clock.setTimer(1, () => {
    fired = true;
  });
  clock.clearTimer(handle);
  clock.advance(100);
  expect(fired).toBe(false);
});

test("a stall fires overdue timers late, at the end of the stall", () => {
  const clock = new ManualClock();
  let firedAtMs = 0;
  clock.setTimer(10, () => {
    firedAtMs = clock.nowMs();
  });
  clock.stall(75);
  expect(firedAtMs).toBe(75);
});

test("wall time follows monotonic time and can be stepped apart from it", () => {
  const clock = new ManualClock({ nowMs: 500, wallMs: 1_000 });
  clock.advance(20);
  expect([clock.nowMs(), clock.wallMs()]).toEqual([520, 1_020]);
  clock.setWallMs(9_000);
  expect([clock.nowMs(), clock.wallMs()]).toEqual([520, 9_000]);
});

test("promises settle between the timers of advanceAsync", async () => {
  const clock = new ManualClock();
  const seen: number[] = [];
  const wait = (ms: number) => new Promise<void>((resolve) => clock.setTimer(ms, resolve));
  const work = (async () => {
    await wait(10);
    seen.push(clock.nowMs());
    await wait(10);
    seen.push(clock.nowMs());
  })();
  await clock.advanceAsync(50);
  await work;
  expect(seen).toEqual([10, 20]);
});
