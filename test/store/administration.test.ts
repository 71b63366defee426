import { expect, test } from "vitest";
import type { ApiKeyRecord } from "../../src/store/index.ts";
import { describeStores } from "./rig.ts";
import { alphabetically, DAY_MS, NOON, newEndpoint, newRecording, nextId, writeCall } from "./samples.ts";

function newKey(key: Partial<ApiKeyRecord> = {}): ApiKeyRecord {
  return {
    id: nextId("key"),
    name: "CRM",
    secretHash: "ab".repeat(32),
    scopes: ["calls:read", "events:read"],
    phoneNumberId: null,
    createdAt: NOON,
    expiresAt: null,
    lastUsedAt: null,
    revokedAt: null,
    ...key,
  };
}

describeStores("API keys, commands and idempotency keys", (rig) => {
  test("a key is kept, touched and revoked once", async () => {
    const { apiKeys } = await rig.open();
    const key = newKey({ phoneNumberId: "1001", expiresAt: NOON + DAY_MS });
    const other = newKey();
    await apiKeys.create(key);
    await apiKeys.create(other);
    expect(await apiKeys.get(key.id)).toEqual(key);
    expect(await apiKeys.get("key_none")).toBeNull();
    expect(await apiKeys.list()).toEqual([key, other]);
    await apiKeys.touch(key.id, NOON + 5);
    // Not a write for each request.
    await apiKeys.touch(key.id, NOON + 6);
    expect((await apiKeys.get(key.id))!.lastUsedAt).toBe(NOON + 5);
    await apiKeys.touch(key.id, NOON + 60_005);
    expect((await apiKeys.get(key.id))!.lastUsedAt).toBe(NOON + 60_005);
    expect(await apiKeys.revoke(key.id, NOON + 9)).toBe(true);
    expect(await apiKeys.revoke(key.id, NOON + 10)).toBe(false);
    expect(await apiKeys.revoke("key_none", NOON)).toBe(false);
    expect((await apiKeys.get(key.id))!.revokedAt).toBe(NOON + 9);
  });

  test("a command is added once in its call; the same id with another request is a conflict", async () => {
    const { commands } = await rig.open();
    const command = { id: "cmd_1", callId: "call_1", verb: "play", requestHash: "a", createdAt: NOON };
    const results = await Promise.all([commands.add(command), commands.add(command)]);
    expect([...results].sort(alphabetically)).toEqual(["added", "known"]);
    expect(await commands.add({ ...command, requestHash: "b" })).toBe("conflict");
    expect(await commands.add({ ...command, callId: "call_2", requestHash: "b" })).toBe("added");
  });

  test("an idempotency key is claimed by one request, whose response the others get", async () => {
    const { idempotency } = await rig.open();
    const claim = { keyId: "key_1", idempotencyKey: "i", requestHash: "a", at: NOON, expiresAt: NOON + 100 };
    const results = await Promise.all([1, 2, 3].map(() => idempotency.claim(claim)));
    expect([...results].sort(alphabetically)).toEqual(["busy", "busy", "claimed"]);
    expect(await idempotency.claim({ ...claim, requestHash: "b" })).toBe("conflict");
    expect(await idempotency.claim({ ...claim, keyId: "key_2", requestHash: "b" })).toBe("claimed");
    await idempotency.complete("key_1", "i", { status: 202, body: "{}" });
    expect(await idempotency.claim(claim)).toEqual({ status: 202, body: "{}" });
    // Too late for a release.
    await idempotency.release("key_1", "i");
    expect(await idempotency.claim(claim)).toEqual({ status: 202, body: "{}" });
    expect(await idempotency.claim({ ...claim, at: NOON + 100, expiresAt: NOON + 200 })).toBe("claimed");
    await idempotency.release("key_1", "i");
    expect(await idempotency.claim({ ...claim, at: NOON + 100 })).toBe("claimed");
  });

  test("a claim whose process ended is free after the start, a response is still there", async () => {
    const database = await rig.database();
    const before = await rig.open(database);
    const claim = { keyId: "k", requestHash: "a", at: NOON, expiresAt: NOON + 100 };
    await before.idempotency.claim({ ...claim, idempotencyKey: "open" });
    await before.idempotency.claim({ ...claim, idempotencyKey: "done" });
    await before.idempotency.complete("k", "done", { status: 200, body: "x" });
    await before.close();
    const looking = await rig.open(database, null);
    expect(await looking.idempotency.claim({ ...claim, idempotencyKey: "open" })).toBe("busy");
    const after = await rig.open(database);
    expect(await after.idempotency.claim({ ...claim, idempotencyKey: "open" })).toBe("claimed");
    expect(await after.idempotency.claim({ ...claim, idempotencyKey: "done" })).toEqual({
      status: 200,
      body: "x",
    });
  });

  test("the audit is listed newest first, page by page", async () => {
    const { audit } = await rig.open();
    for (let index = 0; index < 5; index++) {
      await audit.add({
        at: NOON + index,
        actor: "cli",
        action: "key.created",
        target: null,
        detail: { index },
      });
    }
    const page = await audit.list({ limit: 3 });
    expect(page.items.map(({ detail }) => detail)).toEqual([{ index: 4 }, { index: 3 }, { index: 2 }]);
    const rest = await audit.list({ after: page.next as number, limit: 3 });
    expect(rest.items.map(({ at }) => at)).toEqual([NOON + 1, NOON]);
    expect(rest.next).toBeNull();
  });

  test("a store can be checked; its instance key is made once", async () => {
    const database = await rig.database();
    const store = await rig.open(database);
    await store.check();
    const key = await store.instanceKey();
    expect(key.length).toBe(32);
    await store.close();
    const again = await rig.open(database);
    expect(await again.instanceKey()).toEqual(key);
    const other = await rig.open();
    expect(await other.instanceKey()).not.toEqual(key);
  });

  test("a closed store refuses everything with STORE_UNAVAILABLE, and may be closed again", async () => {
    const store = await rig.open();
    await Promise.all([store.close(), store.close()]);
    const closed = { code: "STORE_UNAVAILABLE", details: { reason: "closed" }, retryable: false };
    await expect(store.check()).rejects.toMatchObject(closed);
    await expect(store.calls.get("call_1")).rejects.toMatchObject(closed);
    await expect(
      store.journal.append({ receivedAt: 1, body: new Uint8Array(), entries: [] }),
    ).rejects.toMatchObject(closed);
    await expect(store.calls.commit({ callId: "call_1" })).rejects.toMatchObject(closed);
  });

  test("what was given before the close is written", async () => {
    const database = await rig.database();
    const store = await rig.open(database);
    const writing = Promise.all(Array.from({ length: 100 }, () => writeCall(store, ["call.incoming"])));
    await store.close();
    const calls = await writing;
    const again = await rig.open(database);
    expect((await again.calls.list({}, { limit: 200 })).items.length).toBe(calls.length);
  });
});

describeStores("recordings", (rig) => {
  test("a recording is made and completed with its call, and listed", async () => {
    const store = await rig.open();
    const { id: callId } = await writeCall(store, ["call.incoming"]);
    const begun = newRecording(callId, { status: "in-progress", files: [], durationMs: null, endedAt: null });
    await store.calls.commit({ callId, recordings: [begun] });
    expect(await store.recordings.get(begun.id)).toEqual(begun);
    const done = newRecording(callId, { id: begun.id });
    const second = newRecording(callId);
    await store.calls.commit({ callId, recordings: [done, second] });
    expect(await store.recordings.get(begun.id)).toEqual(done);
    expect(await store.recordings.get("rec_none")).toBeNull();
    const all = await store.recordings.list({ callId }, { limit: 1 });
    expect(all.items).toEqual([second]);
    expect(
      (await store.recordings.list({ phoneNumberId: "1001" }, { after: all.next as string, limit: 1 })).items,
    ).toEqual([done]);
    expect((await store.recordings.list({ phoneNumberId: "2" }, { limit: 9 })).items).toEqual([]);
  });

  test("a deleted one leaves an event, a delivery and an entry of the audit, once, and does not come back", async () => {
    const store = await rig.open();
    const { id: callId } = await writeCall(store, ["call.incoming"]);
    const endpoint = newEndpoint();
    await store.endpoints.create(endpoint);
    const recording = newRecording(callId);
    await store.calls.commit({ callId, recordings: [recording] });
    const eventId = nextId("evt");
    const deleted = { ...recording, status: "deleted", files: [] };
    expect(await store.recordings.markDeleted(recording.id, eventId, NOON + 9, "key_1")).toEqual(deleted);
    expect(await store.recordings.markDeleted(recording.id, nextId("evt"), NOON + 9, "key_1")).toEqual(
      deleted,
    );
    expect(await store.recordings.markDeleted("rec_none", nextId("evt"), NOON, "key_1")).toBeNull();
    const events = await store.events.read({ callId }, { after: 0, limit: 10 });
    expect(events.map(({ type, seq }) => [type, seq])).toEqual([
      ["call.incoming", 1],
      ["recording.deleted", 2],
    ]);
    expect(events[1]).toMatchObject({
      id: eventId,
      data: { recording_id: recording.id, status: "deleted", channels: "both" },
    });
    const { items } = await store.outbox.list({ endpointId: endpoint.id }, { limit: 10 });
    expect(items.map((delivery) => delivery.eventId)).toEqual([eventId]);
    expect((await store.audit.list({ limit: 10 })).items).toMatchObject([
      { actor: "key_1", action: "recording.deleted", target: recording.id, detail: { call_id: callId } },
    ]);
    await store.calls.commit({ callId, recordings: [recording] });
    expect((await store.recordings.get(recording.id))!.status).toBe("deleted");
  });
});
