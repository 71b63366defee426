import { expect, test } from "vitest";
import type { DeliveryResult, DueDelivery, Store } from "../../src/store/index.ts";
import { describeStores } from "./rig.ts";
import { alphabetically, DAY_MS, NOON, newEndpoint, newEvent, nextId, writeCall } from "./samples.ts";

const LATER = NOON * 2;
const ALL = { at: LATER, limit: 1_000, exceptCallIds: [] };

function result(delivery: DueDelivery, change: Partial<DeliveryResult> = {}): DeliveryResult {
  const { id, attempts } = delivery;
  const delivered = { state: "delivered", deliveredAt: NOON, lastStatus: 200, lastError: null } as const;
  return { id, attempts: attempts + 1, nextAt: NOON, ...delivered, ...change };
}

async function withEndpoint(store: Store): Promise<string> {
  const endpoint = newEndpoint();
  await store.endpoints.create(endpoint);
  return endpoint.id;
}

describeStores("the outbox", (rig) => {
  test("an event waits once for each enabled endpoint that asked for its type and number", async () => {
    const store = await rig.open();
    const endpoints = {
      all: newEndpoint(),
      ended: newEndpoint({ types: ["call.ended"] }),
      number: newEndpoint({ phoneNumberId: "1001" }),
      other: newEndpoint({ phoneNumberId: "1002" }),
      disabled: newEndpoint({ state: "disabled", disabledReason: "operator" }),
    };
    await writeCall(store, ["call.incoming"]);
    for (const endpoint of Object.values(endpoints)) await store.endpoints.create(endpoint);
    const { id } = await writeCall(store, ["call.incoming", "call.ended"]);
    const types = async (endpointId: string): Promise<readonly string[]> => {
      const { items } = await store.outbox.list({ endpointId }, { limit: 10 });
      const events = await Promise.all(items.map(({ eventId }) => store.events.byId(eventId)));
      return events.map((event) => event!.type).reverse();
    };
    expect(await types(endpoints.all.id)).toEqual(["call.incoming", "call.ended"]);
    expect(await types(endpoints.ended.id)).toEqual(["call.ended"]);
    expect(await types(endpoints.number.id)).toEqual(["call.incoming", "call.ended"]);
    expect(await types(endpoints.other.id)).toEqual([]);
    expect(await types(endpoints.disabled.id)).toEqual([]);
    const [due] = await store.outbox.due(endpoints.ended.id, ALL);
    expect(due).toMatchObject({
      callId: id,
      seq: 2,
      state: "pending",
      attempts: 0,
      event: { type: "call.ended", seq: 2 },
    });
  });

  test("of each call the first undelivered event alone is due, and the next one once it is delivered or given up", async () => {
    const store = await rig.open();
    const endpointId = await withEndpoint(store);
    const one = await writeCall(store, ["call.incoming", "call.answered", "call.ended"]);
    const other = await writeCall(store, ["call.incoming"]);
    const due = async (): Promise<readonly DueDelivery[]> => await store.outbox.due(endpointId, ALL);
    const first = await due();
    expect(first.map(({ callId, seq }) => [callId, seq])).toEqual([
      [one.id, 1],
      [other.id, 1],
    ]);
    await store.outbox.settle(
      result(first[0]!, { state: "pending", nextAt: NOON + 5, deliveredAt: null, lastStatus: 500 }),
    );
    expect((await due()).find(({ callId }) => callId === one.id)).toMatchObject({
      seq: 1,
      attempts: 1,
      lastStatus: 500,
    });
    await store.outbox.settle(result(first[0]!));
    const second = (await due()).find(({ callId }) => callId === one.id)!;
    expect(second.seq).toBe(2);
    await store.outbox.settle(
      result(second, { state: "dead", deliveredAt: null, lastStatus: null, lastError: "timeout" }),
    );
    expect((await due()).find(({ callId }) => callId === one.id)!.seq).toBe(3);
    expect(await store.outbox.counts()).toEqual({ pending: 2, delivered: 1, dead: 1 });
  });

  test("an event that is written while the one before it is settled is not left behind", async () => {
    const store = await rig.open();
    const endpointId = await withEndpoint(store);
    const { id } = await writeCall(store, ["call.incoming"]);
    for (let seq = 2; seq < 30; seq++) {
      const [head] = await store.outbox.due(endpointId, ALL);
      await Promise.all([
        store.outbox.settle(result(head!)),
        store.calls.commit({ callId: id, events: [newEvent("call.dtmf", seq)] }),
      ]);
      expect((await store.outbox.due(endpointId, ALL)).map((due) => due.seq)).toEqual([seq]);
    }
  });

  test("a retry that is not due yet holds back its own call alone", async () => {
    const store = await rig.open();
    const endpointId = await withEndpoint(store);
    const one = await writeCall(store, ["call.incoming", "call.ended"]);
    const other = await writeCall(store, ["call.incoming"]);
    const [head] = await store.outbox.due(endpointId, ALL);
    expect(head!.callId).toBe(one.id);
    await store.outbox.settle(result(head!, { state: "pending", nextAt: LATER + 5, deliveredAt: null }));
    expect((await store.outbox.due(endpointId, ALL)).map(({ callId }) => callId)).toEqual([other.id]);
    const [rest] = await store.outbox.due(endpointId, ALL);
    await store.outbox.settle(result(rest!));
    expect(await store.outbox.nextAt(endpointId)).toBe(LATER + 5);
    expect((await store.outbox.due(endpointId, { ...ALL, at: LATER + 5 })).length).toBe(1);
  });

  test("calls whose delivery is under way are left out; limit and time are kept", async () => {
    const store = await rig.open();
    const endpointId = await withEndpoint(store);
    const calls = [];
    for (let index = 0; index < 4; index++) calls.push(await writeCall(store, ["call.incoming"]));
    const ids = calls.map(({ id }) => id);
    const due = await store.outbox.due(endpointId, { ...ALL, exceptCallIds: ids.slice(0, 2) });
    expect(due.map(({ callId }) => callId)).toEqual(ids.slice(2));
    expect((await store.outbox.due(endpointId, { ...ALL, limit: 3 })).length).toBe(3);
    expect(await store.outbox.due(endpointId, { ...ALL, at: 5 })).toEqual([]);
    expect(await store.outbox.nextAt(endpointId)).toBeGreaterThan(5);
    expect(await store.outbox.nextAt("whe_none")).toBeNull();
  });

  test("dead deliveries are tried again, the oldest of their call first", async () => {
    const store = await rig.open();
    const endpointId = await withEndpoint(store);
    const { id } = await writeCall(store, ["call.incoming", "call.answered", "call.ended"]);
    const kill = { state: "dead", deliveredAt: null, lastStatus: 500 } as const;
    for (let seq = 1; seq <= 2; seq++) {
      const [head] = await store.outbox.due(endpointId, ALL);
      await store.outbox.settle(result(head!, kill));
    }
    expect((await store.outbox.due(endpointId, ALL)).map(({ seq }) => seq)).toEqual([3]);
    expect(await store.outbox.replay({ endpointId }, NOON + 7)).toBe(2);
    const [head, ...others] = await store.outbox.due(endpointId, ALL);
    expect(head).toMatchObject({
      callId: id,
      seq: 1,
      state: "pending",
      attempts: 0,
      nextAt: NOON + 7,
      firstAt: NOON + 7,
    });
    expect(others).toEqual([]);
    const order = [];
    for (let [next] = [head]; next !== undefined; [next] = await store.outbox.due(endpointId, ALL)) {
      order.push(next.seq);
      await store.outbox.settle(result(next));
    }
    expect(order).toEqual([1, 2, 3]);
    const { items } = await store.outbox.list({ endpointId, state: "delivered" }, { limit: 10 });
    expect(await store.outbox.replay({ endpointId, deliveryId: items[0]!.id }, NOON)).toBe(1);
    expect((await store.outbox.due(endpointId, ALL)).map(({ id: due }) => due)).toEqual([items[0]!.id]);
    expect(await store.outbox.replay({ endpointId, deliveryId: "dlv_none" }, NOON)).toBe(0);
    expect(await store.outbox.replay({ endpointId: "whe_none" }, NOON)).toBe(0);
  });

  test("a test is delivered to its endpoint, and is in no list of events", async () => {
    const store = await rig.open();
    const endpointId = await withEndpoint(store);
    let told = 0;
    store.events.onCommit(() => {
      told += 1;
    });
    const event = newEvent("webhook.test", 0, { data: { hello: true } });
    const delivery = await store.outbox.enqueueTest(endpointId, event);
    expect(told).toBe(1);
    expect(delivery).toMatchObject({ endpointId, callId: null, seq: 0, state: "pending" });
    const [due] = await store.outbox.due(endpointId, { ...ALL, exceptCallIds: ["call_1"] });
    expect(due!.event).toMatchObject({
      id: event.id,
      type: "webhook.test",
      callId: null,
      data: { hello: true },
    });
    expect(await store.events.read({}, { after: 0, limit: 10 })).toEqual([]);
    await store.outbox.settle(result(due!, { state: "dead", deliveredAt: null }));
    expect(await store.outbox.replay({ endpointId }, NOON)).toBe(1);
    expect((await store.outbox.due(endpointId, ALL)).length).toBe(1);
  });

  test("deliveries are listed newest first, by state, page by page", async () => {
    const store = await rig.open();
    const endpointId = await withEndpoint(store);
    await writeCall(store, ["call.incoming", "call.answered", "call.ended"]);
    const [head] = await store.outbox.due(endpointId, ALL);
    await store.outbox.settle(result(head!, { state: "dead", deliveredAt: null }));
    const page = await store.outbox.list({ endpointId }, { limit: 2 });
    expect(page.items.length).toBe(2);
    const rest = await store.outbox.list({ endpointId }, { after: page.next as string, limit: 2 });
    expect(rest.next).toBeNull();
    const ids = [...page.items, ...rest.items].map(({ id }) => id);
    expect(ids).toEqual([...ids].sort(alphabetically).reverse());
    const dead = await store.outbox.list({ endpointId, state: "dead" }, { limit: 10 });
    expect(dead.items.map(({ id, state }) => [id, state])).toEqual([[head!.id, "dead"]]);
  });

  test("an endpoint goes with its deliveries and tests", async () => {
    const store = await rig.open();
    const endpointId = await withEndpoint(store);
    await writeCall(store, ["call.incoming"]);
    const event = newEvent("webhook.test", 0);
    await store.outbox.enqueueTest(endpointId, event);
    const [due] = await store.outbox.due(endpointId, ALL);
    expect(await store.endpoints.remove(endpointId)).toBe(true);
    expect(await store.endpoints.remove(endpointId)).toBe(false);
    expect(await store.outbox.counts()).toEqual({ pending: 0, delivered: 0, dead: 0 });
    expect(await store.events.byId(event.id)).toBeNull();
    expect((await store.events.read({}, { after: 0, limit: 10 })).length).toBe(1);
    await store.outbox.settle(result(due!));
  });

  test("endpoints are kept as they were made, and changed in part", async () => {
    const store = await rig.open();
    const endpoint = newEndpoint({ types: ["call.ended"], phoneNumberId: "1001" });
    await store.endpoints.create(endpoint);
    expect(await store.endpoints.get(endpoint.id)).toEqual(endpoint);
    const change = {
      types: null,
      state: "disabled",
      disabledReason: "gone",
      secrets: [
        { secret: "whsec_bmV3", expiresAt: null },
        { secret: "whsec_b2xk", expiresAt: NOON + DAY_MS },
      ],
    } as const;
    expect(await store.endpoints.update(endpoint.id, change)).toEqual({ ...endpoint, ...change });
    expect(await store.endpoints.update(endpoint.id, {})).toEqual({ ...endpoint, ...change });
    expect(await store.endpoints.update(nextId("whe"), change)).toBeNull();
    expect(await store.endpoints.list()).toEqual([{ ...endpoint, ...change }]);
  });
});
