import fc from "fast-check";
import { expect, test } from "vitest";
import { ReplayWindow } from "./replay-window.ts";

/** What every index in the window is held to: new until it was accepted. */
const SURE_WINDOW = 225;
const WHOLE_WINDOW = 256;

test("an index is new once", () => {
  const window = new ReplayWindow();
  expect(window.isNew(0)).toBe(true);
  window.accept(0);
  expect(window.isNew(0)).toBe(false);
  expect(window.isNew(1)).toBe(true);
});

test("asking changes nothing", () => {
  const window = new ReplayWindow();
  window.accept(10);
  expect(window.isNew(100_000)).toBe(true);
  expect(window.isNew(11)).toBe(true);
  expect(window.isNew(11)).toBe(true);
});

test("late indexes within the window are taken once, older ones never", () => {
  const window = new ReplayWindow();
  window.accept(1000);
  for (let index = 1000 - SURE_WINDOW + 1; index < 1000; index++) {
    expect(window.isNew(index)).toBe(true);
    window.accept(index);
    expect(window.isNew(index)).toBe(false);
  }
  for (let index = 0; index <= 1000 - WHOLE_WINDOW; index++) expect(window.isNew(index)).toBe(false);
});

test("accepting what is too old forgets nothing", () => {
  const window = new ReplayWindow();
  for (let index = 800; index <= 1000; index++) window.accept(index);
  window.accept(700);
  window.accept(0);
  for (let index = 800; index <= 1000; index++) expect(window.isNew(index)).toBe(false);
});

test.each([0, 2 ** 31 - 100, 2 ** 32 - 100, 2 ** 48 - 1000, 2 ** 53 - 10_000])(
  "any order of indexes from %d on behaves as a set of the newest",
  (base) => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1500 }), { maxLength: 300 }), (offsets) => {
        const window = new ReplayWindow();
        const seen = new Set<number>();
        let highest = -1;
        for (const offset of offsets) {
          const index = base + offset;
          const isNew = window.isNew(index);
          if (seen.has(index)) expect(isNew).toBe(false);
          else if (index > highest - SURE_WINDOW) expect(isNew).toBe(true);
          else if (index <= highest - WHOLE_WINDOW) expect(isNew).toBe(false);
          if (!isNew) continue;
          window.accept(index);
          seen.add(index);
          highest = Math.max(highest, index);
        }
      }),
    );
  },
);
