import { createHash, timingSafeEqual } from "node:crypto";
import { expect, test, vi } from "vitest";
import { createId } from "../../src/core/events/id.ts";
import type { OpenApiDocument } from "../../src/gateway/api/openapi/document.ts";
import { SCOPES } from "../../src/gateway/api/scopes.ts";
import { systemRandom } from "../../src/platform/random.ts";
import { NUMBER_ID, openApiRig, type StoreApiRig } from "../support/api-rig.ts";
import { FakeLiveCalls } from "../support/fake-live-call.ts";
import { rawHttp } from "../support/raw-http.ts";

vi.mock("node:crypto", { spy: true });

const CALLER = "4915112345678";
/** What the API says to everybody. */
const PUBLIC = ["GET /healthz", "GET /readyz"];
/** A walk asks more often than a client may. */
const NO_LIMITS = {
  perKey: { burst: 10_000, perSecond: 10_000 },
  perAddress: { burst: 10_000, perSecond: 10_000 },
  failures: { burst: 10_000, perSecond: 10_000 },
};

interface Walked {
  readonly name: string;
  readonly method: string;
  /** With ids that are there. */
  readonly path: string;
  readonly scope: string | null;
  readonly hasIds: boolean;
}

interface Walk {
  readonly rig: StoreApiRig;
  readonly routes: readonly Walked[];
}

/** The API with one of each thing in it, and its routes with the ids of these things. */
async function openWalk(): Promise<Walk> {
  const liveCalls = new FakeLiveCalls();
  const rig = await openApiRig({ limits: NO_LIMITS, liveCalls, metricsText: async () => METRICS });
  const live = await liveCalls.ring(rig.store, {}, { number: CALLER });
  const ids = await fill(rig, live.id);
  const document = (await (await rig.request("GET", "/v1/openapi.json")).json()) as OpenApiDocument;
  const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { security }]) => ({
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path: path.replace(/\{\w+\}/g, (name, at: number) => ids(path.slice(0, at), name)),
      scope: Object.values(security[0] ?? {}).flat()[0] ?? null,
      hasIds: path.includes("{"),
    })),
  );
  return { rig, routes };
}

const BODIED = new Set(["POST", "PUT", "PATCH"]);
const METRICS = { contentType: "text/plain", text: "ringback_calls 1\n" };

async function fill(rig: StoreApiRig, callId: string): Promise<(prefix: string, name: string) => string> {
  const now = Date.now();
  const recordingId = createId("rec", now, systemRandom);
  await rig.store.calls.commit({
    callId,
    recordings: [
      {
        id: recordingId,
        callId,
        phoneNumberId: NUMBER_ID,
        status: "completed",
        format: "opus",
        files: [{ path: `${recordingId}.opus`, channel: "both", bytes: 3, sha256: "ab" }],
        durationMs: 10,
        consent: {},
        startedAt: now,
        endedAt: now,
      },
    ],
  });
  const endpointId = createId("whe", now, systemRandom);
  await rig.store.endpoints.create({
    id: endpointId,
    url: "https://hooks.example.com/secret-path",
    types: null,
    phoneNumberId: NUMBER_ID,
    secrets: [{ secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", expiresAt: null }],
    state: "enabled",
    disabledReason: null,
    description: "",
    createdAt: now,
  });
  const at = { id: createId("evt", now, systemRandom), type: "webhook.test" as const, at: now };
  const delivery = await rig.store.outbox.enqueueTest(endpointId, { ...at, data: {}, personal: null });
  const keyToken = await rig.key({ phoneNumberId: NUMBER_ID, name: "name-of-a-key" });
  const keyId = `key_${keyToken.split("_")[1]}`;
  return (prefix, name) => {
    if (name === "{subject}" || prefix.includes("subjects")) return CALLER;
    if (prefix.endsWith("/calls/")) return callId;
    if (prefix.endsWith("/recordings/")) return recordingId;
    if (prefix.endsWith("/keys/")) return keyId;
    if (prefix.endsWith("/deliveries/")) return delivery.id;
    return prefix.includes("recordings") ? "0" : endpointId;
  };
}

async function problemCode(response: Response): Promise<string | null> {
  const text = await response.text();
  expect(text).not.toContain(CALLER);
  expect(text).not.toContain("MfKQ9r8G");
  if (response.headers.get("content-type")?.startsWith("application/problem+json") !== true) return null;
  return (JSON.parse(text) as { code: string }).code;
}

async function expectRefusal(route: Walked, response: Response, status: number, code: string): Promise<void> {
  // An answer to HEAD has no body.
  const expected = route.method === "HEAD" ? null : code;
  const got = route.method === "HEAD" ? null : await problemCode(response);
  expect([route.name, response.status, got]).toEqual([route.name, status, expected]);
}

test("every route without a key is refused, but for the two of health", async () => {
  const { rig, routes } = await openWalk();
  expect(routes.length).toBeGreaterThan(35);
  const open: string[] = [];
  for (const route of routes) {
    const response = await rig.request(route.method, route.path, { key: null });
    if (response.status === 200) open.push(route.name);
    else await expectRefusal(route, response, 401, "key_missing");
  }
  expect(open.sort()).toEqual(PUBLIC);
  for (const path of ["/", "/v1", "/v1/nothing", "/metrics/", "/v2/calls"])
    expect((await rig.request("GET", path, { key: null })).status).toBe(401);
  expect((await rig.request("PATCH", "/v1/calls", { key: null })).status).toBe(401);
});

test("every route refuses keys that are malformed, unknown, wrong, revoked or expired", async () => {
  const { rig, routes } = await openWalk();
  const good = await rig.key();
  const [, id, secret = ""] = good.split("_");
  const bad: readonly (readonly [string, string])[] = [
    ["key_invalid", "rbk_"],
    ["key_invalid", `${good}x`],
    ["key_invalid", good.toUpperCase()],
    ["key_invalid", `rbk_${"0".repeat(32)}_${secret}`],
    ["key_invalid", `rbk_${id}_${secret.startsWith("A") ? "B" : "A"}${secret.slice(1)}`],
    ["key_revoked", await rig.key({ revokedAt: Date.now() - 1_000 })],
    ["key_expired", await rig.key({ expiresAt: Date.now() - 1_000 })],
  ];
  for (const route of routes) {
    if (PUBLIC.includes(route.name)) continue;
    for (const [code, key] of bad) {
      await expectRefusal(route, await rig.request(route.method, route.path, { key }), 401, code);
    }
  }
});

test("every route refuses a key that has all scopes but its own", async () => {
  const { rig, routes } = await openWalk();
  for (const route of routes) {
    if (route.scope === null) continue;
    const key = await rig.key({ scopes: SCOPES.filter((each) => each !== route.scope) });
    const response = await rig.request(route.method, route.path, { key });
    await expectRefusal(route, response, 403, "scope_missing");
  }
});

test("a key of another number is refused, or shown nothing, by every route", async () => {
  const { rig, routes } = await openWalk();
  const key = await rig.key({ phoneNumberId: "999" });
  for (const { name, method, path, hasIds } of routes) {
    if (PUBLIC.includes(name) || name === "GET /v1/events/stream") continue;
    const response = await rig.request(method, path, { key, ...(BODIED.has(method) && { body: {} }) });
    const text = await response.text();
    for (const secret of [CALLER, NUMBER_ID, "MfKQ9r8G", "secret-path", "name-of-a-key"])
      expect([name, text.includes(secret)]).toEqual([name, false]);
    if (hasIds) expect([name, [400, 403, 404].includes(response.status)]).toEqual([name, true]);
  }
  const call = await rig.store.calls.list({}, { limit: 1 });
  expect(call.items[0]?.party.number).toBe(CALLER);
});

test("keys are taken from the header alone", async () => {
  const rig = await openApiRig();
  const key = await rig.key();
  for (const name of ["key", "token", "access_token", "api_key", "authorization"])
    expect((await rig.request("GET", `/v1/calls?${name}=${key}`, { key: null })).status).toBe(401);
  const cookie = { cookie: `authorization=${key}; key=${key}` };
  expect((await rig.request("GET", "/v1/calls", { key: null, headers: cookie })).status).toBe(401);
  const basic = { authorization: `Basic ${Buffer.from(`any:${key}`).toString("base64")}` };
  expect((await rig.request("GET", "/v1/calls", { key: null, headers: basic })).status).toBe(401);
  expect((await rig.request("GET", "/docs", { key: null, headers: basic })).status).toBe(200);
});

test("secrets are compared in constant time, also when there is no such key", async () => {
  const rig = await openApiRig();
  const compare = vi.mocked(timingSafeEqual);
  const hash = vi.mocked(createHash);
  compare.mockClear();
  hash.mockClear();
  const key = `rbk_${"1".repeat(32)}_${"A".repeat(43)}`;
  expect((await rig.request("GET", "/v1/calls", { key })).status).toBe(401);
  expect(compare).toHaveBeenCalledTimes(1);
  expect(hash).toHaveBeenCalledWith("sha256");
});

test("failed authentications of an address are limited, and good keys go on", async () => {
  const rig = await openApiRig({ limits: { failures: { burst: 3, perSecond: 0.01 } } });
  const statuses: number[] = [];
  for (let i = 0; i < 5; i += 1)
    statuses.push((await rig.request("GET", "/v1/calls", { key: "rbk_x" })).status);
  expect(statuses).toEqual([401, 401, 401, 429, 429]);
  expect((await rig.request("GET", "/v1/calls")).status).toBe(200);
});

test("keys and addresses are limited each, and told when to go on", async () => {
  const perKey = { burst: 2, perSecond: 0.5 };
  const rig = await openApiRig({ limits: { perKey, perAddress: { burst: 6, perSecond: 0.1 } } });
  const key = await rig.key();
  expect((await rig.request("GET", "/v1/calls", { key })).headers.get("ratelimit-remaining")).toBe("1");
  await rig.request("GET", "/v1/calls", { key });
  const refused = await rig.request("GET", "/v1/calls", { key });
  expect([refused.status, await problemCode(refused)]).toEqual([429, "rate_limited"]);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
  expect(refused.headers.get("ratelimit-limit")).toBe("2");
  for (let i = 0; i < 3; i += 1)
    expect((await rig.request("GET", "/healthz", { key: null })).status).toBe(200);
  expect((await rig.request("GET", "/healthz", { key: null })).status).toBe(429);
});

const SMUGGLED = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
const POST = "POST /v1/keys HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";

test.each([
  [
    "Content-Length and Transfer-Encoding",
    `${POST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ],
  [
    "Transfer-Encoding and Content-Length",
    `${POST}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n`,
  ],
  ["two lengths", `${POST}Content-Length: 0\r\nContent-Length: 5\r\n\r\n`],
  ["a list of lengths", `${POST}Content-Length: 0, 5\r\n\r\n`],
  ["a length with a sign", `${POST}Content-Length: +5\r\n\r\n`],
  ["a negative length", `${POST}Content-Length: -1\r\n\r\n`],
  ["an unknown encoding", `${POST}Transfer-Encoding: xchunked\r\n\r\n`],
  ["chunked that is not last", `${POST}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`],
  ["a space before the colon", `${POST}Content-Length : 5\r\n\r\n`],
  ["a folded header", `${POST}X-Folded: a\r\n b\r\nContent-Length: 0\r\n\r\n`],
  ["a folded length", `${POST}Content-Length:\r\n 5\r\n\r\n`],
  ["a bare line feed", "POST /v1/keys HTTP/1.1\nHost: a\nContent-Length: 0\n\n"],
  ["a NUL in a header", `${POST}X-A: a\u0000b\r\n\r\n`],
  ["a chunk size that is none", `${POST}Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n`],
  ["no host", "GET /healthz HTTP/1.1\r\n\r\n"],
  ["two hosts", "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"],
  ["HTTP/0.9", "GET /healthz\r\n\r\n"],
])("requests that could hide another one are refused, and the connection closed: %s", async (_what, head) => {
  const rig = await openApiRig();
  const { statuses, text, isClosed } = await rawHttp(rig.url, [head + SMUGGLED]);
  expect([statuses[0], text.includes('"status":"ok"')]).toEqual([expect.toSatisfy(isRefusal), false]);
  expect(statuses.filter((status) => status === 200)).toEqual([]);
  expect(isClosed).toBe(true);
});

function isRefusal(status: number | undefined): boolean {
  return status === 400 || status === 401;
}

test("a head that is too large is refused", async () => {
  const rig = await openApiRig();
  const { statuses } = await rawHttp(rig.url, [
    `GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: ${"a".repeat(20_000)}\r\n\r\n`,
  ]);
  expect(statuses).toEqual([431]);
});

test("heads and bodies that come too slowly are cut", async () => {
  const rig = await openApiRig({ limits: { headersTimeoutMs: 300, requestTimeoutMs: 600 } });
  const key = await rig.key();
  const head = `${POST}Authorization: Bearer ${key}\r\nContent-Length: 1000\r\n\r\n`;
  const [slowHead, slowBody] = await Promise.all([
    rawHttp(
      rig.url,
      Array.from({ length: 30 }, (_, i) => (i === 0 ? "GET / HTTP/1.1\r\n" : `X-${i}: a\r\n`)),
      100,
    ),
    rawHttp(rig.url, [head, ...Array.from({ length: 30 }, () => " ")], 100),
  ]);
  for (const { statuses, isClosed } of [slowHead, slowBody]) {
    expect(statuses.every((status) => status === 408)).toBe(true);
    expect(isClosed).toBe(true);
  }
});

test("a body that is too large is refused, by its length and by its bytes", async () => {
  const rig = await openApiRig();
  const key = await rig.key();
  const large = await rig.request("POST", "/v1/keys", { body: { name: "a".repeat(300_000) } });
  expect([large.status, await problemCode(large)]).toEqual([413, "body_too_large"]);
  const chunk = `10000\r\n${" ".repeat(0x10000)}\r\n`;
  const head = `${POST}Authorization: Bearer ${key}\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const { statuses } = await rawHttp(rig.url, [head + chunk.repeat(5)]);
  expect(statuses).toEqual([413]);
});

test("a body is not looked at before its key is known", async () => {
  const rig = await openApiRig();
  const response = await rig.request("POST", "/v1/keys", { key: null, body: { name: "a".repeat(300_000) } });
  expect(response.status).toBe(401);
});

test.each([
  ["deep lists", `{"name":${"[".repeat(100_000)}${"]".repeat(100_000)}}`, 400, "invalid_json"],
  ["deep objects", `${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}`, 400, "invalid_json"],
  ["__proto__", '{"name":"a","scopes":["calls:read"],"__proto__":{"x":1}}', 400, "invalid_json"],
  ["an inner __proto__", '{"name":{"__proto__":{"x":1}}}', 400, "invalid_json"],
  ["constructor.prototype", '{"constructor":{"prototype":{"x":1}}}', 400, "invalid_json"],
  ["no JSON", '{"name":', 400, "invalid_json"],
  ["bytes that are no UTF-8", Buffer.from([0x7b, 0xff, 0x7d]), 400, "invalid_json"],
  ["a list in place of an object", "[]", 400, "invalid_request"],
  ["null", "null", 400, "invalid_request"],
])("%s in a body is refused", async (_what, body, status, code) => {
  const rig = await openApiRig();
  const response = await fetch(`${rig.url}/v1/keys`, {
    method: "POST",
    headers: { authorization: `Bearer ${await rig.key()}`, "content-type": "application/json" },
    body,
  });
  expect([response.status, await problemCode(response)]).toEqual([status, code]);
  expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
});

test("other content types are refused, so that no page of another site can send a form", async () => {
  const rig = await openApiRig();
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=a"]) {
    const response = await rig.request("POST", "/v1/keys", { body: {}, headers: { "content-type": type } });
    expect([type, response.status]).toEqual([type, 415]);
  }
});

test("paths and queries that are not as they should be are refused", async () => {
  const { rig } = await openWalk();
  const id = (await rig.store.calls.list({}, { limit: 1 })).items[0]?.id ?? "";
  for (const path of [
    "/v1/calls/%2e%2e%2fkeys",
    "/v1/calls/%00",
    "/v1/calls/%E0%A4%A",
    `/v1/calls/${id.toUpperCase()}`,
    `/v1/calls/${"a".repeat(500)}`,
    "/v1/calls?limit=0",
    "/v1/calls?limit=1000",
    "/v1/calls?limit=1&limit=2",
    "/v1/calls?unknown=1",
    "/v1/calls?__proto__=1",
    "/v1/calls?cursor=%00",
    "/v1/calls?number=%2B49151",
    "/v1/calls?created_from=yesterday",
    "/v1/calls?cursor=YWJj",
  ]) {
    const response = await rig.request("GET", path);
    expect([path, [400, 404].includes(response.status)]).toEqual([path, true]);
    expect([path, await problemCode(response)]).not.toEqual([path, null]);
  }
});

test("the same idempotency key at the same time does the work once", async () => {
  const rig = await openApiRig();
  const body = { name: "raced", scopes: ["calls:read"] };
  const headers = { "idempotency-key": "race-1" };
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => rig.request("POST", "/v1/keys", { body, headers })),
  );
  const statuses = answers.map(({ status }) => status);
  expect(statuses.filter((status) => status !== 201 && status !== 409)).toEqual([]);
  expect((await rig.store.apiKeys.list()).filter(({ name }) => name === "raced")).toHaveLength(1);
  const first = answers.filter(
    ({ status, headers: got }) => status === 201 && !got.has("idempotency-replayed"),
  );
  expect(first).toHaveLength(1);
  const made = (await first[0]?.json()) as { id: string; key: string };
  const again = await rig.request("POST", "/v1/keys", { body, headers });
  expect([again.status, again.headers.get("idempotency-replayed")]).toEqual([201, "true"]);
  // The secret is not kept for it.
  expect(await again.json()).toEqual({ ...made, key: null });
});

test("an idempotency key stands for one request of one key", async () => {
  const rig = await openApiRig();
  const send = async (name: string, key?: string): Promise<[number, string | null]> => {
    const response = await rig.request("POST", "/v1/keys", {
      body: { name, scopes: ["calls:read"] },
      headers: { "idempotency-key": '"one"' },
      ...(key !== undefined && { key }),
    });
    return [response.status, await problemCode(response)];
  };
  expect(await send("a")).toEqual([201, null]);
  expect(await send("b")).toEqual([422, "idempotency_key_reused"]);
  expect(await send("b", await rig.key())).toEqual([201, null]);
  const bad = await rig.request("POST", "/v1/keys", { body: {}, headers: { "idempotency-key": "a b" } });
  expect(bad.status).toBe(400);
});

test("a key gives no more than it has: scopes, numbers, time", async () => {
  const rig = await openApiRig();
  const expiresAt = Date.now() + 3_600_000;
  const scopes = ["keys:admin", "calls:read"];
  const maker = await rig.key({ scopes, phoneNumberId: NUMBER_ID, expiresAt });
  const make = async (body: object): Promise<[number, unknown]> => {
    const response = await rig.request("POST", "/v1/keys", { key: maker, body: { name: "n", ...body } });
    const made = (await response.json()) as Record<string, unknown>;
    return [response.status, made["code"] ?? made];
  };
  expect(await make({ scopes: ["calls:write"] })).toEqual([403, "grant_too_wide"]);
  expect(await make({ scopes: ["calls:read"], phone_number_id: "999" })).toEqual([403, "grant_too_wide"]);
  expect(await make({ scopes: ["calls:read"], expires_in_s: 7_200 })).toEqual([403, "grant_too_wide"]);
  expect(await make({ scopes: ["calls:read"], phone_number_id: null })).toMatchObject([
    201,
    { phone_number_id: NUMBER_ID, expires_at: new Date(expiresAt).toISOString() },
  ]);
});

test("too many requests in flight are refused, and the others answered", async () => {
  let release = (): void => {};
  const waiting = new Promise<void>((resolve) => {
    release = resolve;
  });
  const rig = await openApiRig({
    limits: { maxInFlight: 2 },
    readiness: () => waiting.then(() => ({ ready: true, reasons: [] })),
  });
  const slow = [rig.request("GET", "/readyz"), rig.request("GET", "/readyz")];
  await vi.waitFor(async () => expect((await rig.request("GET", "/healthz")).status).toBe(503));
  release();
  expect((await Promise.all(slow)).map(({ status }) => status)).toEqual([200, 200]);
  await vi.waitFor(async () => expect((await rig.request("GET", "/healthz")).status).toBe(200));
});

test("the documents need a key, load nothing and run nothing", async () => {
  const rig = await openApiRig();
  const asked = await rig.request("GET", "/docs", { key: null });
  expect([asked.status, asked.headers.get("www-authenticate")]).toEqual([
    401,
    expect.stringMatching(/^Basic /),
  ]);
  const page = await rig.request("GET", "/docs");
  const html = await page.text();
  expect(page.headers.get("content-security-policy")).toMatch(/^default-src 'none'; style-src 'sha256-/);
  expect(html).not.toMatch(/<script|<img|<link|<iframe|\son\w+=|https?:\/\/(?!127)/i);
  expect(page.headers.get("cache-control")).toBe("no-store");
});
