import { expect, test } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import { WorkSlices } from "./work-slices.ts";

test("work in slices takes turns and lets the event loop turn between them", async () => {
  const clock = new ManualClock();
  const slices = new WorkSlices(clock, 4);
  const log: string[] = [];
  let isDone = false;
  const countTurns = (): void => {
    log.push("turn");
    if (!isDone) setImmediate(countTurns);
  };
  const work = async (name: string) => {
    for (let step = 0; step < 4; step += 1) {
      if (slices.isSpent) await slices.next();
      log.push(name);
      clock.stall(2);
    }
  };
  setImmediate(countTurns);
  await Promise.all([work("a"), work("b")]);
  isDone = true;
  const work2 = log.filter((entry) => entry !== "turn").join("");
  expect(work2).toBe("aabbaabb");
  expect(log.join(" ")).toMatch(/a a( turn)+ b b( turn)+ a a( turn)+ b b/);
});

test("a slice that nobody asked for is spent", () => {
  expect(new WorkSlices(new ManualClock({ nowMs: 10 }), 4).isSpent).toBe(true);
});
