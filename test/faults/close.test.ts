import { expect, test } from "vitest";
import type { Timers } from "../../src/platform/timers.ts";
import { systemTimers } from "../../src/platform/timers.ts";
import { connect, makeFolder, startRig, until } from "./fault-rig.ts";

/** Counts the timers that are set. */
function countedTimers(): Timers & { readonly pending: number } {
  const pending = new Set<object>();
  return {
    get pending() {
      return pending.size;
    },
    setTimer: (delayMs, callback) => {
      const handle = systemTimers.setTimer(delayMs, () => {
        pending.delete(handle);
        callback();
      });
      pending.add(handle);
      return handle;
    },
    clearTimer: (handle) => {
      pending.delete(handle);
      systemTimers.clearTimer(handle);
    },
  };
}

test("a gateway that is closed leaves no timer behind, which would keep its process alive and its store in use", async () => {
  await using folder = await makeFolder();
  const timers = countedTimers();
  await using rig = await startRig({ store: { folder: folder.path }, timers });
  expect(await rig.post(connect("wacid.a"))).toBe(200);
  await until(() => rig.calls[0]?.phase === "active");
  expect(timers.pending).toBeGreaterThan(0);
  await rig.gateway.close();
  expect(timers.pending).toBe(0);
});
