import fc from "fast-check";
import { expect, test } from "vitest";
import { type FeatureFrames, followDelays } from "./delay-path.ts";

const MAX_DELAY = 6;

function framesOf(rows: readonly (readonly number[])[]): FeatureFrames {
  return { frames: rows.length, features: 2, at: (frame, feature) => rows[frame]?.[feature] ?? 0 };
}

/** Rows that resemble none of their neighbours. */
const melody = Array.from({ length: 40 }, (_, i) => [10 * Math.sin(i * i), 10 * Math.cos(3 * i * i)]);
const pause = [0, 0];

/** The melody, with a pause of so many frames before each of the named ones, filled up to the expected length. */
function heard(pauses: Readonly<Record<number, number>>): FeatureFrames {
  const rows = melody.flatMap((row, i) => [...Array.from({ length: pauses[i] ?? 0 }, () => pause), row]);
  while (rows.length < melody.length + MAX_DELAY) rows.push(pause);
  return framesOf(rows);
}

test("what was not held up is found where it is", () => {
  const path = followDelays(framesOf(melody), heard({}), MAX_DELAY);
  expect([...path]).toEqual(melody.map(() => 0));
});

test("what comes after a pause is found later by the pause, and pauses add up", () => {
  const path = followDelays(framesOf(melody), heard({ 10: 1, 25: 3 }), MAX_DELAY);
  expect([...path]).toEqual(melody.map((_, i) => (i < 10 ? 0 : i < 25 ? 1 : 4)));
});

test("whatever was heard, no frame is found before the one in front of it or beyond the limit", () => {
  const noise = fc.array(fc.tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: -50, max: 50 })), {
    minLength: melody.length + MAX_DELAY,
    maxLength: melody.length + MAX_DELAY,
  });
  fc.assert(
    fc.property(noise, (rows) => {
      const path = [...followDelays(framesOf(melody), framesOf(rows), MAX_DELAY)];
      expect(path).toEqual(path.toSorted((a, b) => a - b));
      expect(path.every((delay) => delay >= 0 && delay <= MAX_DELAY)).toBe(true);
    }),
  );
});
