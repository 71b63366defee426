import { expect, test } from "vitest";
import {
  addCall,
  NUMBER_ID,
  newEvent,
  openApiRig,
  type StoreApiRig,
} from "../../../../test/support/api-rig.ts";
import type { EventEnvelope } from "../../../core/events/event-types.ts";
import { eventMistakes } from "../../../core/events/schemas.ts";

interface Page {
  readonly items: readonly EventEnvelope[];
  readonly next: string;
  readonly has_more: boolean;
}

async function page(rig: StoreApiRig, path: string, key?: string): Promise<Page> {
  const response = await rig.request("GET", path, key === undefined ? {} : { key });
  expect(response.status).toBe(200);
  return (await response.json()) as Page;
}

async function problem(rig: StoreApiRig, path: string, key?: string): Promise<[number, unknown]> {
  const response = await rig.request("GET", path, key === undefined ? {} : { key });
  return [response.status, ((await response.json()) as { code: unknown }).code];
}

test("pages follow each other without a gap or a repetition, and go on when more comes", async () => {
  const rig = await openApiRig();
  const callId = await addCall(rig.store);
  for (let seq = 2; seq <= 7; seq += 1) {
    await rig.store.calls.commit({ callId, events: [newEvent()] });
  }
  const seen: number[] = [];
  let next = "oldest";
  for (let more = true; more; ) {
    const found = await page(rig, `/v1/events?limit=3&after=${next}`);
    seen.push(...found.items.map(({ seq }) => seq));
    ({ next, has_more: more } = found);
  }
  expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(await page(rig, `/v1/events?after=${next}`)).toEqual({ items: [], next, has_more: false });
  await rig.store.calls.commit({ callId, events: [newEvent()] });
  expect((await page(rig, `/v1/events?after=${next}`)).items.map(({ seq }) => seq)).toEqual([8]);
});

test("envelopes are as the schemas say", async () => {
  const rig = await openApiRig();
  await addCall(rig.store);
  const { items } = await page(rig, "/v1/events");
  expect(items).toHaveLength(1);
  expect(items.flatMap(eventMistakes)).toEqual([]);
  expect(items[0]).toMatchObject({ type: "call.incoming", seq: 1, attempt: 1 });
});

test("filters are by call, number and types", async () => {
  const rig = await openApiRig();
  const first = await addCall(rig.store);
  const second = await addCall(rig.store, { phoneNumberId: "200000000000000" });
  await rig.store.calls.commit({ callId: second, events: [newEvent("call.answered")] });
  const ids = async (query: string): Promise<readonly unknown[]> => {
    return (await page(rig, `/v1/events?${query}`)).items.map(({ call_id, type }) => `${call_id} ${type}`);
  };
  expect(await ids(`call_id=${first}`)).toEqual([`${first} call.incoming`]);
  expect(await ids(`phone_number_id=${NUMBER_ID}`)).toEqual([`${first} call.incoming`]);
  expect(await ids("type=call.answered,call.ended")).toEqual([`${second} call.answered`]);
  expect(await ids("type=call.answered&type=call.incoming")).toHaveLength(3);
  expect(await problem(rig, "/v1/events?type=call.nothing")).toEqual([400, "invalid_request"]);
  expect(await problem(rig, "/v1/events?limit=0")).toEqual([400, "invalid_request"]);
  expect(await problem(rig, "/v1/events?typ=call.dtmf")).toEqual([400, "invalid_request"]);
});

test("a call's events are read by its id; a call of another number does not exist for a key", async () => {
  const rig = await openApiRig();
  const callId = await addCall(rig.store);
  await addCall(rig.store);
  const own = await rig.key({ phoneNumberId: NUMBER_ID });
  const other = await rig.key({ phoneNumberId: "200000000000000" });
  expect((await page(rig, `/v1/calls/${callId}/events`, own)).items.map(({ call_id }) => call_id)).toEqual([
    callId,
  ]);
  expect(await problem(rig, `/v1/calls/${callId}/events`, other)).toEqual([404, "not_found"]);
  expect(await problem(rig, "/v1/calls/call_0/events")).toEqual([404, "not_found"]);
});

test("a key of one number sees the events of that number alone", async () => {
  const rig = await openApiRig();
  await addCall(rig.store);
  const other = await addCall(rig.store, { phoneNumberId: "200000000000000" });
  const key = await rig.key({ phoneNumberId: "200000000000000" });
  expect((await page(rig, "/v1/events", key)).items.map(({ call_id }) => call_id)).toEqual([other]);
  expect(await problem(rig, `/v1/events?phone_number_id=${NUMBER_ID}`, key)).toEqual([403, "scope_missing"]);
});

test("cursors that are no cursors are refused, whatever they look like", async () => {
  const rig = await openApiRig();
  const foreign = await openApiRig();
  await addCall(rig.store);
  await addCall(foreign.store);
  const { next } = await page(foreign, "/v1/events");
  for (const after of [next, "0", "41", "AAAA", `${(await page(rig, "/v1/events")).next}A`]) {
    expect(await problem(rig, `/v1/events?after=${after}`)).toEqual([400, "invalid_cursor"]);
  }
  expect(await problem(rig, `/v1/events?after=${"A".repeat(201)}`)).toEqual([400, "invalid_request"]);
  expect(await problem(rig, "/v1/events?after=%00")).toEqual([400, "invalid_request"]);
});

test("a cursor older than what is kept is told to be so", async () => {
  const rig = await openApiRig();
  const callId = await addCall(rig.store);
  const { next } = await page(rig, "/v1/events");
  await rig.store.calls.commit({ callId, events: [newEvent(), newEvent()] });
  const day = 86_400_000;
  const policy = { webhooksMs: 8 * day, callsMs: 400 * day, eventsMs: day, deliveriesMs: day };
  await rig.store.prune({ ...policy, recordingsMs: day, auditMs: 700 * day }, Date.now() + 2 * day);
  expect(await problem(rig, `/v1/events?after=${next}`)).toEqual([410, "cursor_expired"]);
  expect((await page(rig, "/v1/events?after=oldest")).items).toEqual([]);
});
