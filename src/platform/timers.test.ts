import { expect, test } from "vitest";
import { systemTimers } from "./timers.ts";

test.each([2 ** 31, Number.POSITIVE_INFINITY])("a delay of %d ms does not fire at once", async (delayMs) => {
  let fired = false;
  const handle = systemTimers.setTimer(delayMs, () => {
    fired = true;
  });
  await new Promise<void>((resolve) => systemTimers.setTimer(20, resolve));
  systemTimers.clearTimer(handle);
  expect(fired).toBe(false);
});
