import { expect, test } from "vitest";
import { describeStores } from "./rig.ts";
import { NOON, NUMBER, newCall, newEvent, newWebhook, nextId, writeCall } from "./samples.ts";

describeStores("call records", (rig) => {
  test("a call is read as it was written", async () => {
    const { calls } = await rig.open();
    const create = newCall();
    expect(await calls.commit({ callId: create.id, create })).toBe("written");
    const expected = {
      ...create,
      erasedAt: null,
      connectingAt: null,
      answeredAt: null,
      endedAt: null,
      durationMs: null,
      endReason: null,
      hangUpBy: null,
      errorCode: null,
      media: null,
      tags: {},
      seq: 0,
      owed: null,
    };
    expect(await calls.get(create.id)).toEqual(expected);
    expect(await calls.byKey(create.callKey)).toEqual(expected);
    expect(await calls.get("call_none")).toBeNull();
    const update = {
      state: "ended",
      connectingAt: NOON + 1,
      answeredAt: NOON + 2,
      endedAt: NOON + 3.4,
      durationMs: 1.2,
      endReason: "caller-hangup",
      hangUpBy: "caller",
      errorCode: "138000",
      media: { loss: 0.25 },
      tags: { queue: "sales" },
    } as const;
    await calls.commit({ callId: create.id, update });
    expect(await calls.get(create.id)).toEqual({ ...expected, ...update, endedAt: NOON + 3, durationMs: 1 });
  });

  test("of two calls with one key the second is told that it exists, and only finishes its entries", async () => {
    const { calls, events, journal } = await rig.open();
    const entries = await journal.append(newWebhook(["a", "b"]));
    const first = newCall({ callKey: "same" });
    const second = newCall({ callKey: "same" });
    const outcomes = await Promise.all(
      [first, second].map((create, index) =>
        calls.commit({
          callId: create.id,
          create,
          events: [newEvent("call.incoming", 1)],
          finished: [entries[index]!.id],
        }),
      ),
    );
    expect(outcomes).toEqual(["written", "exists"]);
    expect((await events.read({}, { after: 0, limit: 10 })).map(({ callId }) => callId)).toEqual([first.id]);
    expect(await calls.get(second.id)).toBeNull();
    expect(await journal.unfinished(10)).toEqual([]);
  });

  test("the same change again changes nothing", async () => {
    const { calls, events } = await rig.open();
    const create = newCall();
    const change = {
      callId: create.id,
      create,
      events: [newEvent("call.incoming", 1), newEvent("call.connecting", 2)],
    };
    expect(await calls.commit(change)).toBe("written");
    expect(await calls.commit(change)).toBe("written");
    expect((await events.read({}, { after: 0, limit: 10 })).length).toBe(2);
    expect((await calls.get(create.id))!.seq).toBe(2);
  });

  test("a call ends once: a second end changes neither its record nor its events", async () => {
    const { calls, events } = await rig.open();
    const create = newCall();
    const end = (seq: number, endReason: string) => ({
      callId: create.id,
      update: { state: "ended", endedAt: NOON + seq, endReason } as const,
      events: [newEvent("call.ended", seq, { data: { reason: endReason } })],
    });
    await calls.commit({ callId: create.id, create, events: [newEvent("call.incoming", 1)] });
    await Promise.all([calls.commit(end(2, "caller-hangup")), calls.commit(end(2, "gateway-restarted"))]);
    await calls.commit({ callId: create.id, update: { state: "active", tags: { late: true } } });
    expect(await calls.get(create.id)).toMatchObject({
      state: "ended",
      endReason: "caller-hangup",
      endedAt: NOON + 2,
      tags: { late: true },
      seq: 2,
    });
    const ended = await events.read({ types: ["call.ended"] }, { after: 0, limit: 10 });
    expect(ended.map(({ data }) => data)).toEqual([{ reason: "caller-hangup" }]);
  });

  test("events of a call are counted without a gap, whatever was counted by whoever has it", async () => {
    const store = await rig.open();
    const { id } = await writeCall(store, ["call.incoming", "call.connecting"]);
    await store.calls.commit({
      callId: id,
      events: [newEvent("call.answered", 2), newEvent("call.dtmf", 9)],
    });
    const events = await store.events.read({ callId: id }, { after: 0, limit: 10 });
    expect(events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
  });

  test("a change of a call that is not there is refused, and those beside it are written", async () => {
    const { calls } = await rig.open();
    const good = Array.from({ length: 5 }, () => newCall());
    const results = await Promise.allSettled([
      ...good.slice(0, 3).map((create) => calls.commit({ callId: create.id, create })),
      calls.commit({ callId: "call_none", update: { state: "active" } }),
      ...good.slice(3).map((create) => calls.commit({ callId: create.id, create })),
    ]);
    expect(results.map(({ status }) => status)).toEqual([
      "fulfilled",
      "fulfilled",
      "fulfilled",
      "rejected",
      "fulfilled",
      "fulfilled",
    ]);
    expect(results[3]).toMatchObject({ reason: { code: "OPTION_INVALID", details: { option: "callId" } } });
    for (const { id } of good) expect(await calls.get(id)).not.toBeNull();
  });

  test("a change that fails leaves nothing of itself behind", async () => {
    const { calls, events, journal } = await rig.open();
    const [entry] = await journal.append(newWebhook(["a"]));
    const create = newCall();
    const clash = newEvent("call.incoming", 1);
    const twice = { callId: create.id, create, events: [clash, clash], finished: [entry!.id] };
    await expect(calls.commit(twice)).rejects.toThrow();
    expect(await calls.get(create.id)).toBeNull();
    expect(await events.read({}, { after: 0, limit: 10 })).toEqual([]);
    expect((await journal.unfinished(1)).length).toBe(1);
    const after = newCall();
    expect(await calls.commit({ callId: after.id, create: after })).toBe("written");
  });

  test("calls are listed newest first, page by page", async () => {
    const store = await rig.open();
    const ids: string[] = [];
    for (let index = 0; index < 7; index++) ids.unshift((await writeCall(store, ["call.incoming"])).id);
    const seen: string[] = [];
    for (let after: string | undefined; ; ) {
      const page = await store.calls.list({}, after === undefined ? { limit: 3 } : { after, limit: 3 });
      seen.push(...page.items.map(({ id }) => id));
      if (page.next === null) break;
      after = page.next as string;
    }
    expect(seen).toEqual(ids);
  });

  test("calls are filtered by what they are", async () => {
    const store = await rig.open();
    const inbound = await writeCall(store, ["call.incoming"], { phoneNumberId: "1", createdAt: NOON });
    const outbound = await writeCall(store, ["call.connecting"], {
      direction: "outbound",
      phoneNumberId: "2",
      createdAt: NOON + 10,
      party: { number: "4420", userId: "u", name: null, username: null },
    });
    const ended = await writeCall(store, ["call.ended"], { phoneNumberId: "2", createdAt: NOON + 20 });
    const ids = async (filter: Parameters<typeof store.calls.list>[0]): Promise<readonly string[]> =>
      (await store.calls.list(filter, { limit: 10 })).items.map(({ id }) => id);
    expect(await ids({ phoneNumberId: "2" })).toEqual([ended.id, outbound.id]);
    expect(await ids({ state: "ended" })).toEqual([ended.id]);
    expect(await ids({ direction: "outbound" })).toEqual([outbound.id]);
    expect(await ids({ endReason: "caller-hangup" })).toEqual([ended.id]);
    expect(await ids({ number: NUMBER })).toEqual([ended.id, inbound.id]);
    expect(await ids({ createdFrom: NOON + 10 })).toEqual([ended.id, outbound.id]);
    expect(await ids({ createdBefore: NOON + 10 })).toEqual([inbound.id]);
    expect(await ids({ phoneNumberId: "2", number: "4420", createdFrom: NOON + 11 })).toEqual([]);
  });

  test("live calls are those of a node that have not ended, oldest first", async () => {
    const store = await rig.open();
    const first = await writeCall(store, ["call.incoming"]);
    await writeCall(store, ["call.incoming", "call.ended"]);
    await writeCall(store, ["call.incoming"], { node: "node-2" });
    const second = await writeCall(store, ["call.incoming"]);
    expect((await store.calls.live("node-1", 10)).map(({ id }) => id)).toEqual([first.id, second.id]);
    expect((await store.calls.live("node-1", 1)).length).toBe(1);
  });
});

describeStores("the log of events", (rig) => {
  test("events are read in their order, behind a position, by call, number and type", async () => {
    const store = await rig.open();
    const one = await writeCall(store, ["call.incoming", "call.answered"], { phoneNumberId: "1" });
    const other = await writeCall(store, ["call.incoming"], { phoneNumberId: "2" });
    const all = await store.events.read({}, { after: 0, limit: 10 });
    expect(all.map(({ callId, seq, type }) => [callId, seq, type])).toEqual([
      [one.id, 1, "call.incoming"],
      [one.id, 2, "call.answered"],
      [other.id, 1, "call.incoming"],
    ]);
    expect(all[0]!.data).toEqual({ of: "call.incoming", caller: { number: NUMBER } });
    const positions = all.map(({ position }) => position);
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
    expect(await store.events.head()).toBe(positions[2]);
    const read: typeof store.events.read = (filter, page) => store.events.read(filter, page);
    expect(await read({}, { after: positions[0]!, limit: 10 })).toEqual(all.slice(1));
    expect(await read({}, { after: 0, limit: 2 })).toEqual(all.slice(0, 2));
    expect(await read({ callId: other.id }, { after: 0, limit: 9 })).toEqual([all[2]]);
    expect(await read({ phoneNumberId: "1" }, { after: 0, limit: 9 })).toEqual(all.slice(0, 2));
    expect(await read({ types: ["call.answered"] }, { after: 0, limit: 9 })).toEqual([all[1]]);
    expect(await read({ types: [] }, { after: 0, limit: 9 })).toEqual([]);
    expect(await store.events.byId(all[1]!.id)).toEqual(all[1]);
    expect(await store.events.byId("evt_none")).toBeNull();
  });

  test("a reader that follows sees each event once and in order while many are written", async () => {
    const database = await rig.database();
    const store = await rig.open(database);
    // In PostgreSQL a second process writes as well: its transactions end in any order.
    const second = await rig.open(database, null);
    const calls = await Promise.all(Array.from({ length: 20 }, () => writeCall(store, ["call.incoming"])));
    let writing = true;
    const seen: number[] = [];
    const follow = async (): Promise<void> => {
      for (let last = false; ; ) {
        const events = await store.events.read({}, { after: seen.at(-1) ?? 0, limit: 50 });
        seen.push(...events.map(({ position }) => position));
        if (events.length > 0) continue;
        if (last) return;
        last = !writing;
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const following = follow();
    for (let round = 0; round < 10; round++) {
      await Promise.all(
        calls.map(({ id }, index) =>
          (index % 2 === 0 ? store : second).calls.commit({
            callId: id,
            events: [newEvent("call.dtmf", round + 2)],
          }),
        ),
      );
    }
    writing = false;
    await following;
    const all = await store.events.read({}, { after: 0, limit: 1_000 });
    expect(seen).toEqual(all.map(({ position }) => position));
    expect(seen.length).toBe(220);
  });

  test("who listens is told after commits with events, until it stops", async () => {
    const store = await rig.open();
    let told = 0;
    const stop = store.events.onCommit(() => {
      told += 1;
    });
    const { id } = await writeCall(store, ["call.incoming"]);
    expect(told).toBe(1);
    await store.calls.commit({ callId: id, update: { tags: { a: 1 } } });
    expect(told).toBe(1);
    stop();
    await store.calls.commit({ callId: id, events: [newEvent("call.dtmf", 2)] });
    expect(told).toBe(1);
  });

  test("the positions of events that are gone are not given out again", async () => {
    const store = await rig.open();
    await writeCall(store, ["call.incoming", "call.ended"]);
    const head = await store.events.head();
    expect(await store.events.tail()).toBe(0);
    const policy = {
      webhooksMs: 1e12,
      callsMs: 1e12,
      eventsMs: 0,
      deliveriesMs: 1e12,
      recordingsMs: 1e12,
      auditMs: 1e12,
    };
    expect((await store.prune(policy, NOON + 1_000)).events).toBe(2);
    expect(await store.events.tail()).toBe(head);
    expect(await store.events.head()).toBe(head);
    await writeCall(store, ["call.incoming"], { id: nextId("call") });
    expect(await store.events.head()).toBeGreaterThan(head);
  });
});
