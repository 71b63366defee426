import { expect, test } from "vitest";
import { levelDbfs } from "./level.ts";

test("0 dB is a square wave at full scale, -3 a sine", () => {
  const square = Int16Array.from({ length: 160 }, (_, i) => (i % 2 === 0 ? 32_767 : -32_768));
  const sine = Int16Array.from({ length: 160 }, (_, i) => 32_767 * Math.sin((2 * Math.PI * i) / 16));
  expect(levelDbfs(square, 0, 160)).toBeCloseTo(0, 2);
  expect(levelDbfs(sine, 0, 160)).toBeCloseTo(-3.01, 2);
  expect(
    levelDbfs(
      sine.map((sample) => sample / 10),
      0,
      160,
    ),
  ).toBeCloseTo(-23.01, 1);
});

test("only the part asked for counts, and silence has a level, too", () => {
  const samples = new Int16Array(320).fill(3277, 160);
  expect(levelDbfs(samples, 160, 160)).toBeCloseTo(-20, 1);
  expect(levelDbfs(samples, 0, 160)).toBe(-100);
  expect(levelDbfs(samples, 320, 160)).toBe(-100);
});
