import { expect, test } from "vitest";
import {
  addCall,
  NUMBER_ID,
  newEvent,
  openApiRig,
  type StoreApiRig,
} from "../../../../test/support/api-rig.ts";
import { isWebhookSecret } from "../../../core/delivery/webhook-secret.ts";
import { createRequestPolicy } from "../../../platform/outgoing-request.ts";
import { ManualClock } from "../../../testing/index.ts";

interface Endpoint {
  readonly id: string;
  readonly secret?: string | null;
  readonly [field: string]: unknown;
}

const resolve = (host: string): Promise<readonly string[]> => {
  const addresses: Record<string, readonly string[]> = {
    "hooks.example.com": ["93.184.215.14"],
    "inside.example.com": ["10.0.0.5"],
    "mixed.example.com": ["93.184.215.14", "169.254.169.254"],
  };
  return addresses[host] === undefined
    ? Promise.reject(new Error("ENOTFOUND"))
    : Promise.resolve(addresses[host]);
};
const requests = { requestPolicy: createRequestPolicy({ resolve }), requests: { resolve } };
const URL_OK = "https://hooks.example.com/ringback#fragment";

async function create(rig: StoreApiRig, body: object = {}, key?: string): Promise<Endpoint> {
  const response = await rig.request("POST", "/v1/webhooks", {
    body: { url: URL_OK, ...body },
    ...(key !== undefined && { key }),
  });
  expect(response.status).toBe(201);
  return (await response.json()) as Endpoint;
}

async function codeOf(response: Response): Promise<[number, unknown]> {
  return [response.status, ((await response.json()) as { code: unknown }).code];
}

test("an endpoint shows its secret once, when it is made", async () => {
  const rig = await openApiRig(requests);
  const made = await create(rig, { types: ["call.ended"], description: "CRM" });
  expect(made).toMatchObject({
    url: "https://hooks.example.com/ringback",
    types: ["call.ended"],
    phone_number_id: null,
    state: "enabled",
    secrets: [{ expires_at: null }],
  });
  expect(isWebhookSecret(made.secret ?? "")).toBe(true);
  const { secret, ...rest } = made;
  expect(await (await rig.request("GET", `/v1/webhooks/${made.id}`)).json()).toEqual(rest);
  expect(await (await rig.request("GET", "/v1/webhooks")).json()).toEqual({ items: [rest] });
  expect((await rig.store.endpoints.get(made.id))?.secrets).toEqual([{ secret, expiresAt: null }]);
});

test("a repeated request with the same Idempotency-Key makes no second endpoint, and does not show the secret again", async () => {
  const rig = await openApiRig(requests);
  const key = await rig.key();
  const post = (): Promise<Response> =>
    rig.request("POST", "/v1/webhooks", {
      key,
      body: { url: URL_OK },
      headers: { "idempotency-key": "one" },
    });
  const first = (await (await post()).json()) as Endpoint;
  const second = (await (await post()).json()) as Endpoint;
  expect(second.id).toBe(first.id);
  expect(second.secret).toBeNull();
  expect(await rig.store.endpoints.list()).toHaveLength(1);
});

test.each([
  ["http://hooks.example.com/", /https/],
  ["https://user:pass@hooks.example.com/", /user or a password/],
  ["https://127.0.0.1/", /loopback/],
  ["https://[::1]/", /loopback/],
  ["https://localhost/", /this machine/],
  ["https://0xa9.0xfe.0xa9.0xfe/", /metadata/],
  ["https://inside.example.com/", /private network/],
  ["https://mixed.example.com/", /metadata/],
  ["https://unknown.example.com/", /no address/],
  ["ftp://hooks.example.com/", /https/],
  ["hooks", /absolute URL/],
])("%s is refused as an endpoint, with the reason", async (url, reason) => {
  const rig = await openApiRig(requests);
  const response = await rig.request("POST", "/v1/webhooks", { body: { url } });
  const problem = (await response.json()) as { code: string; detail: string };
  expect([response.status, problem.code]).toEqual([422, "url_refused"]);
  expect(problem.detail).toMatch(reason);
  expect(problem.detail).not.toContain("pass@");
  const made = await create(rig);
  const changed = await rig.request("PATCH", `/v1/webhooks/${made.id}`, { body: { url } });
  expect(await codeOf(changed)).toEqual([422, "url_refused"]);
});

test("an endpoint is changed, disabled and taken up again", async () => {
  const rig = await openApiRig(requests);
  const { id } = await create(rig);
  const patch = async (body: object): Promise<object> => {
    const response = await rig.request("PATCH", `/v1/webhooks/${id}`, { body });
    expect(response.status).toBe(200);
    return (await response.json()) as object;
  };
  expect(await patch({ types: ["call.ended"], description: "x" })).toMatchObject({
    types: ["call.ended"],
    description: "x",
  });
  expect(await patch({ types: null })).toMatchObject({ types: null, description: "x" });
  expect(await patch({ state: "disabled" })).toMatchObject({
    state: "disabled",
    disabled_reason: "operator",
  });
  await rig.store.endpoints.update(id, { disabledReason: "gone" });
  expect(await patch({ state: "enabled" })).toMatchObject({ state: "enabled", disabled_reason: null });
  expect((await rig.request("DELETE", `/v1/webhooks/${id}`)).status).toBe(204);
  expect((await rig.request("DELETE", `/v1/webhooks/${id}`)).status).toBe(404);
  const { items } = await rig.store.audit.list({ limit: 100 });
  const actions = items.filter(({ target }) => target === id).map(({ action }) => action);
  expect(actions.toReversed()).toEqual([
    "webhook.created",
    ...Array(4).fill("webhook.changed"),
    "webhook.deleted",
  ]);
});

test("after a rotation the old secret signs on until the overlap is over", async () => {
  const clock = new ManualClock();
  const rig = await openApiRig({ ...requests, clock });
  const made = await create(rig);
  const rotate = async (body: object): Promise<Endpoint> => {
    return (await (
      await rig.request("POST", `/v1/webhooks/${made.id}/rotate-secret`, { body })
    ).json()) as Endpoint;
  };
  const second = await rotate({});
  expect(second.secret).not.toBe(made.secret);
  const dayLater = Math.round(clock.wallMs()) + 86_400_000;
  expect((await rig.store.endpoints.get(made.id))?.secrets).toEqual([
    { secret: second.secret, expiresAt: null },
    { secret: made.secret, expiresAt: dayLater },
  ]);
  const third = await rotate({ overlap_s: 10 });
  const kept = (await rig.store.endpoints.get(made.id))?.secrets ?? [];
  expect(kept.map(({ secret }) => secret)).toEqual([third.secret, second.secret, made.secret]);
  expect(kept.map(({ expiresAt }) => expiresAt)).toEqual([
    null,
    dayLater - 86_390_000,
    dayLater - 86_390_000,
  ]);
  clock.advance(11_000);
  expect((await rotate({ overlap_s: 0 }))["secrets"]).toEqual([{ expires_at: null }]);
});

test("deliveries are listed by state and page, tested, and replayed when they are dead", async () => {
  const rig = await openApiRig(requests);
  const { id } = await create(rig);
  const callId = await addCall(rig.store);
  for (let seq = 2; seq <= 5; seq += 1) await rig.store.calls.commit({ callId, events: [newEvent()] });
  const list = async (
    query = "",
  ): Promise<{ items: { id: string; seq: number; next_at: unknown }[]; next: string }> => {
    return (await (await rig.request("GET", `/v1/webhooks/${id}/deliveries${query}`)).json()) as never;
  };
  const first = await list("?limit=3");
  const rest = await list(`?limit=3&cursor=${first.next}`);
  expect([...first.items, ...rest.items].map(({ seq }) => seq)).toEqual([5, 4, 3, 2, 1]);
  expect(rest.next).toBeNull();

  const oldest = rest.items.at(-1)!;
  const dead = {
    state: "dead" as const,
    attempts: 9,
    nextAt: 0,
    deliveredAt: null,
    lastStatus: 500,
    lastError: null,
  };
  await rig.store.outbox.settle({ id: oldest.id, ...dead });
  expect(await list("?state=dead")).toMatchObject({
    items: [{ id: oldest.id, next_at: null, last_status: 500 }],
  });
  const replay = (body: object): Promise<Response> =>
    rig.request("POST", `/v1/webhooks/${id}/replay`, { body });
  expect(await (await replay({})).json()).toEqual({ replayed: 1 });
  expect((await list("?state=dead")).items).toEqual([]);
  expect(await (await replay({ delivery_id: oldest.id })).json()).toEqual({ replayed: 1 });
  expect(await codeOf(await replay({ delivery_id: "dlv_0" }))).toEqual([404, "not_found"]);

  const tested = await rig.request("POST", `/v1/webhooks/${id}/test`);
  expect(tested.status).toBe(202);
  expect(await tested.json()).toMatchObject({ state: "pending", call_id: null, seq: 0 });
  await rig.request("PATCH", `/v1/webhooks/${id}`, { body: { state: "disabled" } });
  expect(await codeOf(await rig.request("POST", `/v1/webhooks/${id}/test`))).toEqual([
    409,
    "endpoint_disabled",
  ]);
});

test("a key of one number makes, sees and changes endpoints of that number alone", async () => {
  const rig = await openApiRig(requests);
  const all = await create(rig);
  const key = await rig.key({ phoneNumberId: NUMBER_ID });
  const own = await create(rig, {}, key);
  expect(own["phone_number_id"]).toBe(NUMBER_ID);
  const listed = (await (await rig.request("GET", "/v1/webhooks", { key })).json()) as { items: Endpoint[] };
  expect(listed.items.map(({ id }) => id)).toEqual([own.id]);
  const path = `/v1/webhooks/${all.id}`;
  for (const [method, suffix, body] of [
    ["GET", "", undefined],
    ["PATCH", "", {}],
    ["DELETE", "", undefined],
    ["GET", "/deliveries", undefined],
    ["POST", "/test", undefined],
    ["POST", "/replay", {}],
    ["POST", "/rotate-secret", {}],
  ] as const) {
    const response = await rig.request(method, path + suffix, { key, ...(body !== undefined && { body }) });
    expect(await codeOf(response)).toEqual([404, "not_found"]);
  }
  const body = { url: URL_OK, phone_number_id: "200000000000000" };
  expect(await codeOf(await rig.request("POST", "/v1/webhooks", { key, body }))).toEqual([
    403,
    "scope_missing",
  ]);
});

test("there are no more endpoints than there may be", async () => {
  const rig = await openApiRig(requests);
  const { id, secret } = await create(rig);
  const one = (await rig.store.endpoints.get(id))!;
  expect(one.secrets[0]?.secret).toBe(secret);
  for (let count = 1; count < 50; count += 1) {
    await rig.store.endpoints.create({ ...one, id: `whe_${String(count).padStart(32, "0")}` });
  }
  expect(await codeOf(await rig.request("POST", "/v1/webhooks", { body: { url: URL_OK } }))).toEqual([
    409,
    "too_many_endpoints",
  ]);
});
