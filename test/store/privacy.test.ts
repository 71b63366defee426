import { createHmac } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { createSqliteRig, describeStores } from "./rig.ts";
import {
  DAY_MS,
  KEEP,
  NOON,
  NUMBER,
  newEndpoint,
  newEvent,
  newRecording,
  newWebhook,
  nextId,
  writeCall,
} from "./samples.ts";

const OTHER = "447700900123";
const NAMES = [NUMBER, "Ada Lovelace", "ada.l"];

describeStores("erasure", (rig) => {
  test("nothing of a subject is left in calls, events and finished webhooks, and others keep theirs", async () => {
    const store = await rig.open();
    const mine = await writeCall(store, ["call.incoming", "call.ended"], { callKey: "call of a" });
    const party = { number: OTHER, userId: null, name: "Bob", username: null };
    const theirs = await writeCall(store, ["call.incoming"], { party });
    const [entry] = await store.journal.append(newWebhook(["a"]));
    await store.journal.finish([entry!.id]);
    const erased = await store.erase(NUMBER, NOON + 9, "cli");
    expect(erased).toEqual({ calls: 1, events: 1, webhooks: 1, recordings: [] });
    const call = await store.calls.get(mine.id);
    expect(call).toMatchObject({
      whatsappCallId: null,
      erasedAt: NOON + 9,
      callKey: mine.callKey,
      state: "ended",
    });
    expect(Object.values(call!.party)).toEqual([null, null, null, null]);
    expect((await store.events.read({ callId: mine.id }, { after: 0, limit: 9 }))[0]!.data).toEqual({
      of: "call.incoming",
    });
    expect((await store.calls.get(theirs.id))!.party).toEqual(party);
    expect((await store.events.read({ callId: theirs.id }, { after: 0, limit: 9 }))[0]!.data).toHaveProperty(
      "caller",
    );
    expect((await store.calls.list({ number: NUMBER }, { limit: 9 })).items).toEqual([]);
    expect(await store.journal.append(newWebhook(["a"]))).toEqual([]);
  });

  test("the audit tells of it in numbers and a keyed hash, without the number", async () => {
    const store = await rig.open();
    await writeCall(store, ["call.incoming"]);
    await store.erase(NUMBER, NOON, "key_1");
    const [entry] = (await store.audit.list({ limit: 1 })).items;
    const target = createHmac("sha256", await store.instanceKey())
      .update(`subject:${NUMBER}`)
      .digest("hex");
    expect(entry).toMatchObject({
      at: NOON,
      actor: "key_1",
      action: "subject.erased",
      target,
      detail: { calls: 1, events: 1, webhooks: 0, recordings: 0 },
    });
    expect(JSON.stringify(entry)).not.toContain(NUMBER);
  });

  test("a webhook that is not finished keeps its body until all of its entries are", async () => {
    const store = await rig.open();
    const entries = await store.journal.append(newWebhook(["a", "b"]));
    expect((await store.erase(NUMBER, NOON, "cli")).webhooks).toBe(1);
    expect((await store.journal.unfinished(9)).every(({ body }) => body.length > 0)).toBe(true);
    await store.journal.finish([entries[0]!.id]);
    expect((await store.journal.unfinished(9))[0]!.body.length).toBeGreaterThan(0);
    await store.journal.finish([entries[1]!.id]);
    // By its number nothing is found any more.
    expect((await store.erase(NUMBER, NOON, "cli")).webhooks).toBe(0);
  });

  test("what comes later for an erased call is kept without what is personal", async () => {
    const store = await rig.open();
    const { id } = await writeCall(store, ["call.incoming"], { callKey: "call of late" });
    await store.erase(NUMBER, NOON, "cli");
    const [entry] = await store.journal.append(newWebhook(["late"]));
    await store.calls.commit({
      callId: id,
      events: [newEvent("gather.completed", 2, { personal: { digits: "1234" } })],
      finished: [entry!.id],
    });
    const events = await store.events.read({ callId: id }, { after: 1, limit: 9 });
    expect(events.map(({ data }) => data)).toEqual([{ of: "gather.completed" }]);
    expect((await store.erase(NUMBER, NOON, "cli")).webhooks).toBe(0);
  });

  test("a user id is a subject as well, and takes the webhooks of its calls along", async () => {
    const store = await rig.open();
    const party = { number: null, userId: "US.123", name: null, username: "x" };
    const { id } = await writeCall(store, ["call.incoming"], { party, callKey: "call of hidden" });
    const hidden = newWebhook(["hidden"]);
    const [entry] = await store.journal.append({
      ...hidden,
      entries: hidden.entries.map((one) => ({ ...one, subject: null })),
    });
    await store.journal.finish([entry!.id]);
    expect(await store.erase("US.123", NOON, "cli")).toMatchObject({ calls: 1, webhooks: 1 });
    expect((await store.calls.get(id))!.party.userId).toBeNull();
  });

  test("recordings of the subject are told, so that their files are removed", async () => {
    const store = await rig.open();
    const { id } = await writeCall(store, ["call.incoming"]);
    const kept = newRecording(id);
    const gone = newRecording(id);
    await store.calls.commit({ callId: id, recordings: [kept, gone] });
    await store.recordings.markDeleted(gone.id, nextId("evt"), NOON, "cli");
    expect((await store.erase(NUMBER, NOON, "cli")).recordings).toEqual([kept]);
  });

  test("what waits to be delivered is delivered without what was erased", async () => {
    const store = await rig.open();
    const endpoint = newEndpoint();
    await store.endpoints.create(endpoint);
    await writeCall(store, ["call.incoming"]);
    await store.erase(NUMBER, NOON, "cli");
    const [due] = await store.outbox.due(endpoint.id, { at: NOON * 2, limit: 1, exceptCallIds: [] });
    expect(JSON.stringify(due)).not.toContain(NUMBER);
  });
});

describe("erasure in a SQLite file", () => {
  const rig = createSqliteRig();

  test("no byte of the subject is left in any file of the store", async () => {
    const database = await rig.database();
    const store = await rig.open(database);
    for (let index = 0; index < 60; index++) {
      await writeCall(store, ["call.incoming", "call.ended"], { callKey: `call of k${index}` });
      const body = new TextEncoder().encode(`${"x".repeat(index * 200)} Ada Lovelace ada.l ${NUMBER}`);
      const [entry] = await store.journal.append(newWebhook([`k${index}`], { body }));
      await store.journal.finish([entry!.id]);
    }
    const folder = dirname(database.file ?? "");
    const leftIn = async (): Promise<readonly string[]> => {
      const left: string[] = [];
      for (const name of await readdir(folder)) {
        const bytes = await readFile(join(folder, name));
        left.push(...NAMES.filter((text) => bytes.includes(text)).map((text) => `${text} in ${name}`));
      }
      return left;
    };
    expect((await leftIn()).length).toBeGreaterThan(0);
    await store.erase(NUMBER, NOON, "cli");
    expect(await leftIn()).toEqual([]);
  });
});

describeStores("retention", (rig) => {
  test("each kind goes when its time is over, and not before", async () => {
    const store = await rig.open();
    const endpoint = newEndpoint();
    await store.endpoints.create(endpoint);
    const [entry] = await store.journal.append(newWebhook(["a"]));
    const { id } = await writeCall(store, ["call.incoming", "call.ended"], {}, { finished: [entry!.id] });
    await store.audit.add({ at: NOON, actor: "cli", action: "key.created", target: null, detail: {} });
    const claim = { keyId: "k", idempotencyKey: "i", requestHash: "a", at: NOON, expiresAt: NOON + DAY_MS };
    await store.idempotency.claim(claim);
    const nothing = {
      webhooks: 0,
      calls: 0,
      events: 0,
      deliveries: 0,
      idempotencyKeys: 0,
      audit: 0,
      recordings: [],
    };
    expect(await store.prune(KEEP, NOON + 1)).toEqual(nothing);
    const at = NOON + 100 * DAY_MS;
    expect(await store.prune(KEEP, at)).toEqual({ ...nothing, idempotencyKeys: 1 });
    expect(await store.prune({ ...KEEP, webhooksMs: DAY_MS }, at)).toEqual({ ...nothing, webhooks: 1 });
    expect(await store.prune({ ...KEEP, auditMs: DAY_MS }, at)).toEqual({ ...nothing, audit: 1 });
    // They still wait to be delivered.
    expect(await store.prune({ ...KEEP, eventsMs: DAY_MS }, at)).toEqual(nothing);
    expect(await store.prune({ ...KEEP, callsMs: DAY_MS }, at)).toEqual({ ...nothing, calls: 1 });
    expect(await store.calls.get(id)).toBeNull();
    expect(await store.events.read({}, { after: 0, limit: 9 })).toEqual([]);
    expect(await store.outbox.counts()).toEqual({ pending: 0, delivered: 0, dead: 0 });
  });

  test("events and deliveries go once they were delivered", async () => {
    const store = await rig.open();
    const endpoint = newEndpoint();
    await store.endpoints.create(endpoint);
    await writeCall(store, ["call.incoming"]);
    const [due] = await store.outbox.due(endpoint.id, { at: NOON * 2, limit: 1, exceptCallIds: [] });
    const settled = {
      attempts: 1,
      nextAt: NOON,
      deliveredAt: NOON,
      lastStatus: 200,
      lastError: null,
    } as const;
    await store.outbox.settle({ id: due!.id, state: "delivered", ...settled });
    const at = Date.now() + 10 * DAY_MS;
    expect(await store.prune({ ...KEEP, deliveriesMs: 11 * DAY_MS }, at)).toMatchObject({ deliveries: 0 });
    expect(await store.prune({ ...KEEP, deliveriesMs: 9 * DAY_MS }, at)).toMatchObject({
      deliveries: 1,
      events: 0,
    });
    expect(await store.prune({ ...KEEP, eventsMs: DAY_MS }, at)).toMatchObject({ events: 1 });
    expect(await store.events.tail()).toBe(await store.events.head());
  });

  test("webhooks are kept for eight days at least, and unfinished ones for ever", async () => {
    const store = await rig.open();
    const [done] = await store.journal.append(newWebhook(["done"]));
    await store.journal.append(newWebhook(["open"]));
    await store.journal.finish([done!.id]);
    const policy = { ...KEEP, webhooksMs: 0 };
    expect((await store.prune(policy, NOON + 7.9 * DAY_MS)).webhooks).toBe(0);
    expect((await store.prune(policy, NOON + 8.1 * DAY_MS)).webhooks).toBe(1);
    expect((await store.journal.unfinished(9)).map(({ callKey }) => callKey)).toEqual(["call of open"]);
    expect((await store.prune(policy, NOON + 99 * DAY_MS)).webhooks).toBe(0);
  });

  test("recordings whose time is over are told until they are deleted, and keep their call meanwhile", async () => {
    const store = await rig.open();
    const { id } = await writeCall(store, ["call.incoming", "call.ended"]);
    const live = await writeCall(store, ["call.incoming"]);
    const recording = newRecording(id);
    await store.calls.commit({ callId: id, recordings: [recording] });
    await store.calls.commit({ callId: live.id, recordings: [newRecording(live.id)] });
    const at = NOON + 10 * DAY_MS;
    expect((await store.prune({ ...KEEP, recordingsMs: 11 * DAY_MS }, at)).recordings).toEqual([]);
    expect((await store.prune({ ...KEEP, recordingsMs: DAY_MS }, at)).recordings).toEqual([recording]);
    const calls = { ...KEEP, callsMs: DAY_MS };
    expect(await store.prune(calls, at)).toMatchObject({ calls: 0, recordings: [recording] });
    await store.recordings.markDeleted(recording.id, nextId("evt"), at, "retention");
    expect(await store.prune(calls, at)).toMatchObject({ calls: 1, recordings: [] });
    expect(await store.recordings.get(recording.id)).toBeNull();
    expect(await store.calls.get(live.id)).not.toBeNull();
  });

  test("many rows go in several transactions, and what is written meanwhile is written", async () => {
    const store = await rig.open();
    const appends = Array.from({ length: 2_300 }, (_, index) =>
      store.journal.append(newWebhook([`k${index}`])),
    );
    const entries = (await Promise.all(appends)).flat();
    await store.journal.finish(entries.map(({ id }) => id));
    let isOver = false;
    const pruning = store.prune(KEEP_NO_WEBHOOKS, NOON + 9 * DAY_MS).finally(() => {
      isOver = true;
    });
    await store.journal.append(newWebhook(["meanwhile"]));
    expect(isOver).toBe(false);
    expect((await pruning).webhooks).toBe(2_300);
    expect((await store.journal.unfinished(9)).length).toBe(1);
  });
});

const KEEP_NO_WEBHOOKS = { ...KEEP, webhooksMs: 0 };
