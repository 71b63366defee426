import fc from "fast-check";
import { expect, test } from "vitest";
import { estimateRtpIndex, nextRtcpIndex, nextRtpIndex } from "./packet-index.ts";

const ROLLOVER = 0x10000;

test("the first packet's rollover counter is 0", () => {
  expect(estimateRtpIndex(-1, 0)).toBe(0);
  expect(estimateRtpIndex(-1, 65_535)).toBe(65_535);
});

test("any packet within half the sequence numbers of the highest gets its index back", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 ** 48 - 1 }),
      fc.integer({ min: -0x7fff, max: 0x7fff }),
      (highest, distance) => {
        const index = highest + distance;
        fc.pre(index >= 0 && index < 2 ** 48);
        expect(estimateRtpIndex(highest, index % ROLLOVER)).toBe(index);
      },
    ),
    { numRuns: 1000 },
  );
});

test("before the first rollover a high sequence number is ahead, not behind", () => {
  expect(estimateRtpIndex(5, 65_000)).toBe(65_000);
  expect(estimateRtpIndex(ROLLOVER + 5, 65_000)).toBe(65_000);
});

test("a rollover past 2^48 packets is refused", () => {
  expect(estimateRtpIndex(2 ** 48 - 1, 0)).toBe(-1);
  expect(estimateRtpIndex(2 ** 48 - 2, 65_535)).toBe(2 ** 48 - 1);
});

test("what we send only goes up", () => {
  expect(nextRtpIndex(-1, 10)).toBe(10);
  expect(nextRtpIndex(10, 11)).toBe(11);
  expect(nextRtpIndex(10, 10)).toBe(-1);
  expect(nextRtpIndex(10, 9)).toBe(-1);
  expect(nextRtpIndex(65_535, 0)).toBe(ROLLOVER);
  expect(nextRtpIndex(ROLLOVER, 65_535)).toBe(-1);
  expect(nextRtpIndex(2 ** 48 - 1, 0)).toBe(-1);
});

test("SRTCP counts from 0 to 2^31 - 1", () => {
  expect(nextRtcpIndex(-1)).toBe(0);
  expect(nextRtcpIndex(0)).toBe(1);
  expect(nextRtcpIndex(2 ** 31 - 2)).toBe(2 ** 31 - 1);
  expect(nextRtcpIndex(2 ** 31 - 1)).toBe(-1);
});
