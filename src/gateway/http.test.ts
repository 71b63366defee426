import type { FastifyInstance } from "fastify";
import { afterEach, describe, expect, test } from "vitest";
import { type Logger, silentLogger } from "../logger.ts";
import { systemClock } from "../platform/clock.ts";
import type { CallEvent } from "../whatsapp/call-event.ts";
import { signWebhook } from "../whatsapp/signature.ts";
import { createHttpServer } from "./http.ts";

const SECRET = "an-app-secret";
let server: FastifyInstance | null = null;
const taken: CallEvent[] = [];
const answered: number[] = [];
let isStoreAway = false;
const warnings: { readonly fields: object; readonly message: string }[] = [];
const logger: Logger = { ...silentLogger, warn: (fields, message) => warnings.push({ fields, message }) };

afterEach(async () => {
  await server?.close();
  server = null;
  taken.length = 0;
  answered.length = 0;
  isStoreAway = false;
  warnings.length = 0;
});

function start(): FastifyInstance {
  server = createHttpServer({
    appSecrets: ["a-retired-secret", SECRET],
    verifyTokens: ["a-verify-token"],
    clock: systemClock,
    logger,
    take: async (_body, events) => {
      if (isStoreAway) return { outcome: "refused" };
      return { outcome: "taken", act: () => void taken.push(...events) };
    },
    health: () => ({ status: "draining", calls: 3 }),
    readiness: async () => ({ ready: !isStoreAway, reasons: isStoreAway ? ["store_unavailable"] : [] }),
    observer: { webhookAnswered: (status) => void answered.push(status) },
  });
  return server;
}

async function post(body: string | Uint8Array, headers: Record<string, string> = {}): Promise<number> {
  const payload = Buffer.from(body);
  const response = await start().inject({
    method: "POST",
    url: "/webhook",
    payload,
    headers: { "content-type": "application/json", ...headers },
  });
  return response.statusCode;
}

const signed = (body: string): Record<string, string> => ({
  "x-hub-signature-256": signWebhook(Buffer.from(body), SECRET),
});

const envelope = (calls: unknown[]): string =>
  JSON.stringify({
    object: "whatsapp_business_account",
    entry: [
      {
        id: "200000000000001",
        changes: [
          {
            field: "calls",
            value: { messaging_product: "whatsapp", metadata: { phone_number_id: "100000000000001" }, calls },
          },
        ],
      },
    ],
  });
const TERMINATE = envelope([
  { id: "wacid.one", event: "terminate", timestamp: "1790000000", status: "COMPLETED" },
]);

describe("the webhook", () => {
  test("a signed body is answered with 200 before anything is done with it", async () => {
    expect(await post(TERMINATE, signed(TERMINATE))).toBe(200);
    await new Promise((resolve) => setImmediate(resolve));
    expect(taken).toMatchObject([{ type: "terminate", callId: "wacid.one" }]);
  });

  test.each<[string, string, Record<string, string>, number]>([
    ["no signature", TERMINATE, {}, 401],
    ["a wrong signature", TERMINATE, signed(`${TERMINATE} `), 401],
    ["a malformed signature", TERMINATE, { "x-hub-signature-256": "sha1=00" }, 401],
    ["an empty body without signature", "", {}, 401],
    ["signed text that is no JSON", "hello", signed("hello"), 400],
    ["a signed body cut in the middle", TERMINATE.slice(0, 100), signed(TERMINATE.slice(0, 100)), 400],
    ["a signed list", "[]", signed("[]"), 400],
    ["two megabytes", "x".repeat(2_000_000), {}, 413],
  ])("%s is refused and does nothing", async (_name, body, headers, status) => {
    expect(await post(body, headers)).toBe(status);
    await new Promise((resolve) => setImmediate(resolve));
    expect(taken).toEqual([]);
  });

  test("a refusal is logged with what was wrong, and without the body", async () => {
    await post(TERMINATE, signed(`${TERMINATE} `));
    const code = "WEBHOOK_SIGNATURE_INVALID";
    expect(warnings).toContainEqual({ fields: { code, reason: "mismatch" }, message: "webhook refused" });
    expect(JSON.stringify(warnings)).not.toContain("wacid");
  });

  test("a signed body without a content type is taken", async () => {
    const url = await start().listen({ port: 0 });
    const body = Buffer.from(TERMINATE);
    const response = await fetch(`${url}/webhook`, { method: "POST", body, headers: signed(TERMINATE) });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("");
  });

  test("an event that nobody knows is taken, not refused", async () => {
    const body = envelope([{ id: "wacid.two", event: "call_levitated", timestamp: 1 }]);
    expect(await post(body, signed(body))).toBe(200);
    await new Promise((resolve) => setImmediate(resolve));
    expect(taken).toMatchObject([{ type: "unknown", event: "call_levitated" }]);
  });

  test("Meta's verification gets its challenge back; a wrong token does not", async () => {
    const right = "/webhook?hub.mode=subscribe&hub.challenge=1158863600&hub.verify_token=a-verify-token";
    const ok = await start().inject({ url: right });
    expect([ok.statusCode, ok.body]).toEqual([200, "1158863600"]);
    const refused = await server!.inject({ url: right.replace("a-verify", "another") });
    expect(refused.statusCode).toBe(403);
    expect(refused.body).not.toContain("another");
  });
});

test("a webhook that cannot be kept is refused, so that WhatsApp sends it again, and nothing is acted upon", async () => {
  isStoreAway = true;
  const body = envelope([{ id: "wacid.one", event: "terminate" }]);
  expect(await post(body, signed(body))).toBe(503);
  expect(taken).toEqual([]);
  expect(answered).toEqual([503]);
});

test("/healthz says how many calls there are, and that the process is well while it drains", async () => {
  const response = await start().inject({ url: "/healthz" });
  expect(response.statusCode).toBe(200);
  expect(response.json()).toEqual({ status: "draining", calls: 3 });
});

test("/readyz says whether new calls may come, and if not, why", async () => {
  expect((await start().inject({ url: "/readyz" })).statusCode).toBe(200);
  isStoreAway = true;
  const response = await (server as FastifyInstance).inject({ url: "/readyz" });
  expect(response.statusCode).toBe(503);
  expect(response.json()).toEqual({ ready: false, reasons: ["store_unavailable"] });
});
