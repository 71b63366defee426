import { expect, test } from "vitest";
import { CallRecord } from "./call-record.ts";

/** A clock that stands still until it is set. */
function createClock(): { nowMs(): number; wallMs(): number; setMs(ms: number): void } {
  let ms = 0;
  return {
    nowMs: () => ms,
    wallMs: () => 1_760_681_506_000 + ms,
    setMs: (value) => {
      ms = value;
    },
  };
}

test.each([
  { endedAtMs: 20_999.2, seconds: 20 },
  { endedAtMs: 21_000.9, seconds: 20 },
  { endedAtMs: 1_300, seconds: 0 },
])("a call from 1000.9 to $endedAtMs ms lasts $seconds s", ({ endedAtMs, seconds }) => {
  const clock = createClock();
  const record = new CallRecord(clock);
  expect(record.durationSeconds).toBeNull();
  clock.setMs(1_000.9);
  record.mark("accept");
  clock.setMs(endedAtMs);
  record.mark("ended");
  clock.setMs(99_000);
  expect(record.durationSeconds).toBe(seconds);
  const { startWallMs, endWallMs } = record.wallTimes();
  expect(endWallMs - Number(startWallMs)).toBe(seconds * 1_000);
});
