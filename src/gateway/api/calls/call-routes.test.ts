import { expect, test } from "vitest";
import { addCall, NUMBER_ID, openApiRig, type StoreApiRig } from "../../../../test/support/api-rig.ts";
import { callSchema } from "./call-resource.ts";

interface Page {
  readonly items: readonly { readonly id: string; readonly party: { readonly number: string | null } }[];
  readonly next: string | null;
}

async function list(rig: StoreApiRig, query: string, key?: string): Promise<Page> {
  const response = await rig.request("GET", `/v1/calls${query}`, key === undefined ? {} : { key });
  expect(response.status).toBe(200);
  return (await response.json()) as Page;
}

test("calls are listed by pages, the newest first, each once", async () => {
  const rig = await openApiRig();
  const ids: string[] = [];
  for (let i = 0; i < 5; i += 1) ids.push(await addCall(rig.store));
  const seen: string[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const page: Page = await list(rig, `?limit=2${cursor === "" ? "" : `&cursor=${cursor}`}`);
    expect(page.items.length).toBeLessThanOrEqual(2);
    seen.push(...page.items.map(({ id }) => id));
    cursor = page.next;
  }
  expect(seen).toEqual(ids.sort().reverse());
});

test("calls are found by number, state, time, reason and phone number", async () => {
  const rig = await openApiRig();
  const ringing = await addCall(rig.store, { state: "ringing", number: "15550001" });
  const ended = await addCall(rig.store, { number: "15550002", phoneNumberId: "222", state: "active" });
  const endedAt = Date.now();
  await rig.store.calls.commit({
    callId: ended,
    update: { state: "ended", endReason: "caller-hangup", endedAt },
  });
  const found = async (query: string): Promise<string[]> =>
    (await list(rig, query)).items.map(({ id }) => id);
  expect(await found("?number=15550001")).toEqual([ringing]);
  expect(await found("?state=ended")).toEqual([ended]);
  expect(await found("?end_reason=caller_hangup")).toEqual([ended]);
  expect(await found("?phone_number_id=222&direction=inbound")).toEqual([ended]);
  expect(
    await found("?created_from=2000-01-01T00:00:00Z&created_before=2000-01-02T00:00:00%2B02:00"),
  ).toEqual([]);
  expect(await found("?created_from=2000-01-01T00:00:00Z")).toHaveLength(2);
});

test("a call is shown as its schema says, without the id that WhatsApp has for it", async () => {
  const rig = await openApiRig();
  const id = await addCall(rig.store);
  const text = await (await rig.request("GET", `/v1/calls/${id}`)).text();
  expect(text).not.toContain("wacid");
  const call: unknown = JSON.parse(text);
  expect(callSchema.parse(call)).toEqual(call);
  expect((await rig.request("GET", `/v1/calls/call_${"0".repeat(32)}`)).status).toBe(404);
});

test("a key of one number lists and fetches calls of that number alone", async () => {
  const rig = await openApiRig();
  const own = await addCall(rig.store);
  const other = await addCall(rig.store, { phoneNumberId: "222" });
  const key = await rig.key({ phoneNumberId: NUMBER_ID });
  expect((await list(rig, "", key)).items.map(({ id }) => id)).toEqual([own]);
  expect((await rig.request("GET", `/v1/calls/${own}`, { key })).status).toBe(200);
  expect((await rig.request("GET", `/v1/calls/${other}`, { key })).status).toBe(404);
  expect((await rig.request("GET", "/v1/calls?phone_number_id=222", { key })).status).toBe(403);
});
