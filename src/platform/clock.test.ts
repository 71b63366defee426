import { expect, test } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import { createSteadyWall } from "./clock.ts";

test("steady wall time goes on from where it was when the clock is set back, and ahead with one that is set ahead", () => {
  const clock = new ManualClock({ wallMs: 1_000_000 });
  const steadyWallMs = createSteadyWall(clock);
  clock.advance(500);
  expect(steadyWallMs()).toBe(1_000_500);
  clock.setWallMs(0);
  clock.advance(250);
  expect(steadyWallMs()).toBe(1_000_750);
  clock.setWallMs(2_000_000);
  expect(steadyWallMs()).toBe(2_000_000);
});

test("steady wall time is in whole ms, as a database keeps it", () => {
  const clock = new ManualClock({ wallMs: 1_000_000 });
  const steadyWallMs = createSteadyWall(clock);
  clock.setWallMs(0);
  clock.advance(0.4);
  expect(steadyWallMs()).toBe(1_000_000);
  clock.advance(0.4);
  expect(steadyWallMs()).toBe(1_000_001);
});
