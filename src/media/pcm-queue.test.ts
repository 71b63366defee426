import fc from "fast-check";
import { expect, test } from "vitest";
import { PcmQueue } from "./pcm-queue.ts";

const RATE_HZ = 8_000;
const FRAME = 160;
const FADE = 40;

const counting = (first: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => (first + index) & 0x3fff);

const level = (value: number, count: number): Int16Array => new Int16Array(count).fill(value);

test("pieces of any length come out by the slot, in order", () => {
  const queue = new PcmQueue(RATE_HZ);
  const samples = Int16Array.from({ length: 400 }, (_, index) => index + 1);
  for (const piece of [samples.subarray(0, 7), samples.subarray(7, 250), samples.subarray(250)]) {
    queue.write(piece);
  }
  const taken = [...queue.take(), ...queue.take()];
  expect(taken.slice(FADE)).toEqual([...samples.slice(FADE, 2 * FRAME)]);
  expect([queue.queued, queue.taken, queue.written]).toEqual([80, 320, 400]);
});

test("whatever is written and taken, it comes out in order, and the pieces may be used again", () => {
  const steps = fc.array(fc.oneof(fc.nat(1_000), fc.constant("take" as const)), { maxLength: 60 });
  fc.assert(
    fc.property(steps, (all) => {
      const queue = new PcmQueue(RATE_HZ);
      let next = 0;
      let taken = 0;
      for (const step of all) {
        if (step === "take") {
          const isWhole = queue.queued >= FRAME;
          const first = taken;
          taken += Math.min(queue.queued, FRAME);
          const frame = queue.take();
          if (isWhole) expect([...frame.slice(FADE)]).toEqual(counting(first + FADE, FRAME - FADE));
        } else {
          const piece = Int16Array.from(counting(next, step));
          next += step;
          queue.write(piece);
          piece.fill(-1);
        }
        expect([queue.written, queue.taken]).toEqual([next, taken]);
      }
    }),
  );
});

test("sound begins within 5 ms, rising, and not again while it goes on", () => {
  const queue = new PcmQueue(RATE_HZ);
  queue.write(level(8_000, 2 * FRAME));
  const first = [...queue.take()];
  expect(first[0]).toBe(0);
  expect(first.slice(0, FADE)).toEqual(first.slice(0, FADE).toSorted((a, b) => a - b));
  expect(first.slice(FADE)).toEqual([...level(8_000, FRAME - FADE)]);
  expect([...queue.take()]).toEqual([...level(8_000, FRAME)]);
});

test("sound that ends within a slot dies away within 5 ms, without a step", () => {
  const queue = new PcmQueue(RATE_HZ);
  queue.write(level(8_000, FRAME + 20));
  queue.take();
  const last = [8_000, ...queue.take()];
  expect(last.slice(21 + FADE).every((sample) => sample === 0)).toBe(true);
  for (let i = 1; i < last.length; i += 1) expect(Math.abs(last[i]! - last[i - 1]!)).toBeLessThanOrEqual(200);
});

test("dying away leaves what waits for later, which then begins softly again", () => {
  const queue = new PcmQueue(RATE_HZ);
  queue.write(level(8_000, 2 * FRAME));
  queue.take();
  expect(queue.dieAway()[0]).toBe(7_800);
  expect(queue.queued).toBe(FRAME);
  expect(queue.take()[0]).toBe(0);
});

test("clearing drops what waits, and counts it as given out", () => {
  const queue = new PcmQueue(RATE_HZ);
  queue.write(level(1, 500));
  queue.clear();
  expect([queue.queued, queue.taken]).toEqual([0, 500]);
  expect(queue.take().every((sample) => sample === 0)).toBe(true);
});
