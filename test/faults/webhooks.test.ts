import { expect, test } from "vitest";
import type { CallRecord } from "../../src/store/index.ts";
import {
  connect,
  databaseIn,
  type FaultRig,
  makeFolder,
  sign,
  startRig,
  storyOf,
  terminate,
  until,
  withStore,
} from "./fault-rig.ts";

const DAY_MS = 86_400_000;

async function recordsIn(folder: string): Promise<readonly CallRecord[]> {
  const page = await withStore(databaseIn(folder), (store) => store.calls.list({}, { limit: 100 }));
  return page.items;
}

async function storiesIn(folder: string): Promise<readonly (readonly string[])[]> {
  const calls = await recordsIn(folder);
  return await withStore(databaseIn(folder), (store) =>
    Promise.all(
      calls.map(async ({ id }) => storyOf(await store.events.read({ callId: id }, { after: 0, limit: 100 }))),
    ),
  );
}

async function isIdle(rig: FaultRig, folder: string): Promise<boolean> {
  const backlog = await withStore(databaseIn(folder), (store) => store.journal.backlog());
  return rig.gateway.status.calls === 0 && backlog.count === 0;
}

test("a webhook with any byte changed is refused, and nothing of it is kept", async () => {
  await using folder = await makeFolder();
  await using rig = await startRig({ store: { folder: folder.path } });
  const body = Buffer.from(
    '{"entry":[{"changes":[{"field":"calls","value":{"metadata":{"phone_number_id":"100000000000001"},"calls":[{"id":"wacid.x","event":"terminate","timestamp":"1"}]}}]}]}',
  );
  const signature = sign(body);
  const statuses = new Set<number>();
  for (let i = 0; i < body.length; i += 1) {
    const mutated = Buffer.from(body);
    mutated[i] = (mutated[i] ?? 0) ^ (1 << (i % 8));
    statuses.add(await rig.post(mutated, signature));
  }
  statuses.add(await rig.post(body.subarray(1), signature));
  statuses.add(await rig.post(Buffer.concat([body, Buffer.from(" ")]), signature));
  expect(statuses).toEqual(new Set([401]));
  expect(await recordsIn(folder.path)).toEqual([]);
  expect(await rig.post(body, signature)).toBe(200);
});

test("a signature with any character changed is refused", async () => {
  await using rig = await startRig({ store: "memory" });
  const body = connect("wacid.a");
  const signature = sign(body);
  const mutations = signature.split("").map((character, i) => {
    const other = /[0-9a-f]/.test(character) ? (Number.parseInt(character, 16) ^ 1).toString(16) : "x";
    return signature.slice(0, i) + other + signature.slice(i + 1);
  });
  mutations.push(
    "",
    "sha256=",
    signature.toUpperCase(),
    signature.slice(0, -1),
    `${signature}0`,
    signature.replace("sha256", "sha1"),
  );
  for (const mutation of mutations)
    expect([mutation, await rig.post(body, mutation)]).toEqual([mutation, 401]);
  expect(rig.calls).toEqual([]);
});

test("an end that comes before its call makes one record, and nobody is rung", async () => {
  await using folder = await makeFolder();
  await using rig = await startRig({ store: { folder: folder.path } });
  for (const body of [terminate("wacid.a"), connect("wacid.a"), terminate("wacid.a"), connect("wacid.a")]) {
    expect(await rig.post(body)).toBe(200);
  }
  await until(() => isIdle(rig, folder.path));
  expect(rig.calls).toEqual([]);
  expect(rig.asked).toEqual([]);
  expect(await recordsIn(folder.path)).toMatchObject([
    { state: "ended", endReason: "caller-hangup", answeredAt: null },
  ]);
  expect(await storiesIn(folder.path)).toEqual([["call.ended"]]);
});

test("a call that comes after two minutes is closed as missed, and nobody is rung", async () => {
  await using folder = await makeFolder();
  await using rig = await startRig({ store: { folder: folder.path } });
  expect(await rig.post(connect("wacid.a", 120_000))).toBe(200);
  await until(() => isIdle(rig, folder.path));
  expect(rig.calls).toEqual([]);
  expect(rig.asked).toEqual([]);
  expect(await recordsIn(folder.path)).toMatchObject([{ state: "ended", endReason: "offer-expired" }]);
  expect((await storiesIn(folder.path))[0]?.at(-1)).toBe("call.ended");
});

test("webhooks that come again for eight days change nothing, whatever was tidied up meanwhile", async () => {
  await using folder = await makeFolder();
  const bodies = [connect("wacid.a"), terminate("wacid.a"), terminate("wacid.b"), connect("wacid.b")];
  await using first = await startRig({ store: { folder: folder.path } });
  for (const body of bodies) expect(await first.post(body)).toBe(200);
  await until(() => isIdle(first, folder.path));
  await first.gateway.close();
  const before = await recordsIn(folder.path);
  const stories = await storiesIn(folder.path);
  for (const laterMs of [DAY_MS, 8 * DAY_MS - 3_600_000]) {
    const wallMs = (): number => Date.now() + laterMs;
    await using rig = await startRig({
      store: { folder: folder.path },
      clock: { nowMs: () => performance.now(), wallMs },
      retention: { webhooksMs: DAY_MS, callsMs: 30 * DAY_MS },
    });
    const shortest = {
      webhooksMs: 8 * DAY_MS,
      callsMs: 30 * DAY_MS,
      eventsMs: 30 * DAY_MS,
      deliveriesMs: DAY_MS,
      recordingsMs: DAY_MS,
      auditMs: DAY_MS,
    };
    await withStore(databaseIn(folder.path), (store) => store.prune(shortest, wallMs()));
    for (const body of bodies.toReversed()) expect(await rig.post(body)).toBe(200);
    await until(() => isIdle(rig, folder.path));
    expect(rig.calls).toEqual([]);
    expect(rig.asked).toEqual([]);
  }
  expect(await recordsIn(folder.path)).toEqual(before);
  expect(await storiesIn(folder.path)).toEqual(stories);
});

test("a second gateway with the same file does not start, and says what to do", async () => {
  await using folder = await makeFolder();
  await using rig = await startRig({ store: { folder: folder.path } });
  const second = startRig({ store: { folder: folder.path } });
  await expect(second).rejects.toMatchObject({
    code: "STORE_UNUSABLE",
    details: { reason: "in-use" },
    message: expect.stringMatching(/another process.*DATA_DIR/),
  });
  expect(await rig.post(connect("wacid.a"))).toBe(200);
  await rig.gateway.close();
  await using third = await startRig({ store: { folder: folder.path } });
  expect(third.gateway.status.state).toBe("running");
});
