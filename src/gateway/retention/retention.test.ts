import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { addCall, NUMBER_ID, newEvent } from "../../../test/support/api-rig.ts";
import { createId } from "../../core/events/id.ts";
import { silentLogger } from "../../logger.ts";
import { systemRandom } from "../../platform/random.ts";
import { systemTimers } from "../../platform/timers.ts";
import { openStore, type Store } from "../../store/index.ts";
import { ManualClock } from "../../testing/index.ts";
import { DEFAULT_RETENTION } from "./retention-policy.ts";
import { startRetention } from "./start-retention.ts";

const DAY_MS = 86_400_000;

async function openRig() {
  const clock = new ManualClock();
  clock.setWallMs(Date.now());
  const deps = { clock, timers: systemTimers, random: systemRandom, logger: silentLogger };
  const store = await openStore({ file: ":memory:", node: "test" }, deps);
  const folder = await mkdtemp(join(tmpdir(), "ringback-retention-"));
  onTestFinished(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });
  const retention = startRetention({ store, recordingsFolder: folder, ...deps, timers: clock });
  onTestFinished(() => retention.stop());
  return { clock, store, folder, retention };
}

async function addRecording(store: Store, path: string, endedAt: number): Promise<string> {
  const callId = await addCall(store);
  const id = createId("rec", endedAt, systemRandom);
  const recording = {
    id,
    callId,
    phoneNumberId: NUMBER_ID,
    status: "completed" as const,
    format: "opus" as const,
    files: [{ path, channel: "both" as const, bytes: 1, sha256: "" }],
    durationMs: 1,
    consent: {},
    startedAt: endedAt,
    endedAt,
  };
  await store.calls.commit({ callId, recordings: [recording], events: [newEvent("call.ended")] });
  return id;
}

async function actions(store: Store): Promise<readonly string[]> {
  const { items } = await store.audit.list({ limit: 100 });
  return items.map(({ actor, action, detail }) => `${actor} ${action} ${JSON.stringify(detail)}`);
}

test("a recording's files go when their time is over, then it is marked, and the audit has it", async () => {
  const { clock, store, folder } = await openRig();
  const now = clock.wallMs();
  await writeFile(join(folder, "old.opus"), "x");
  await writeFile(join(folder, "new.opus"), "x");
  const old = await addRecording(store, "old.opus", now - 31 * DAY_MS);
  const young = await addRecording(store, "new.opus", now - 29 * DAY_MS);
  clock.advance(5_000);
  await vi.waitFor(async () => expect(await actions(store)).toHaveLength(2));
  expect((await actions(store))[0]).toBe('retention retention.enforced {"recordings":1}');
  expect(await readdir(folder)).toEqual(["new.opus"]);
  expect((await store.recordings.get(old))?.status).toBe("deleted");
  expect((await store.recordings.get(young))?.status).toBe("completed");
});

test("it runs soon after the start and then every hour, and writes nothing when there is nothing", async () => {
  const { clock, store, retention } = await openRig();
  const prune = vi.spyOn(store, "prune");
  clock.advance(4_999);
  expect(prune).not.toHaveBeenCalled();
  clock.advance(1);
  await vi.waitFor(() => expect(clock.pendingTimers).toBe(1));
  clock.advance(3_599_999);
  expect(prune).toHaveBeenCalledTimes(1);
  clock.advance(1);
  await vi.waitFor(() => expect(prune).toHaveBeenCalledTimes(2));
  expect(prune.mock.calls[0]?.[0]).toEqual(DEFAULT_RETENTION);
  expect(await actions(store)).toEqual([]);
  await retention.stop();
  expect(clock.pendingTimers).toBe(0);
});

test("while a run is under way no other begins, and stop waits for it", async () => {
  const { clock, store, retention } = await openRig();
  let finish = (): void => {};
  const none = {
    webhooks: 0,
    calls: 0,
    events: 0,
    deliveries: 0,
    idempotencyKeys: 0,
    audit: 0,
    recordings: [],
  };
  const prune = vi.spyOn(store, "prune").mockImplementation(
    () =>
      new Promise((resolve) => {
        finish = () => resolve(none);
      }),
  );
  clock.advance(5_000);
  clock.advance(10 * 3_600_000);
  expect(prune).toHaveBeenCalledTimes(1);
  let hasStopped = false;
  const stopping = retention.stop().then(() => {
    hasStopped = true;
  });
  await Promise.resolve();
  expect(hasStopped).toBe(false);
  finish();
  await stopping;
  clock.advance(10 * 3_600_000);
  expect(prune).toHaveBeenCalledTimes(1);
});

test("a store that fails, and a file that cannot be removed, are tried again after five minutes", async () => {
  const { clock, store, folder } = await openRig();
  const id = await addRecording(store, "../elsewhere.opus", clock.wallMs() - 31 * DAY_MS);
  await writeFile(join(folder, "..", "elsewhere.opus"), "x");
  onTestFinished(() => rm(join(folder, "..", "elsewhere.opus"), { force: true }));
  const prune = vi.spyOn(store, "prune").mockRejectedValueOnce(new Error("gone"));
  clock.advance(5_000);
  await vi.waitFor(() => expect(clock.pendingTimers).toBe(1));
  clock.advance(300_000);
  await vi.waitFor(() => expect(clock.pendingTimers).toBe(1));
  expect((await store.recordings.get(id))?.status).toBe("completed");
  expect(prune).toHaveBeenCalledTimes(2);
});

test("what is old is gone from each table, and the audit tells how many of each", async () => {
  const { clock, store } = await openRig();
  await store.journal.append({ receivedAt: clock.wallMs(), body: new Uint8Array(3), entries: [] });
  const callId = await addCall(store);
  clock.setWallMs(clock.wallMs() + 400 * DAY_MS);
  clock.advance(5_000);
  await vi.waitFor(async () => expect(await actions(store)).toHaveLength(1));
  expect(await actions(store)).toEqual(['retention retention.enforced {"calls":1,"events":1}']);
  expect(await store.calls.get(callId)).toBeNull();
});
