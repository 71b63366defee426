import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  act,
  callsOf,
  createFakePhones,
  type Receiver,
  startReceiver,
} from "../../../test/simulator/fixture.ts";
import { createSimulator, type Simulator } from "../simulator.ts";

let receiver: Receiver;
let simulator: Simulator;

beforeEach(async () => {
  receiver = await startReceiver();
  await start();
});

async function start(timeoutMs = 10_000): Promise<void> {
  simulator = createSimulator({
    webhookUrl: receiver.url,
    appSecret: "s3cret",
    webhook: { timeoutMs, retryDelaysMs: [10, 20, 40] },
    phoneMediaFactory: createFakePhones().factory,
  });
  await simulator.start();
}

afterEach(async () => {
  await simulator.close();
  await receiver[Symbol.asyncDispose]();
});

function eventNames(): readonly string[] {
  return receiver.events().map(({ event }) => event);
}

test("the signature is over the raw bytes, and fails for who re-serialises them", async () => {
  await simulator.call();
  const [webhook] = receiver.received;
  const rawBody = webhook?.rawBody ?? Buffer.alloc(0);
  const sign = (body: Uint8Array): string =>
    `sha256=${createHmac("sha256", "s3cret").update(body).digest("hex")}`;
  expect(webhook?.headers["x-hub-signature-256"]).toBe(sign(rawBody));
  expect(webhook?.headers["content-type"]).toBe("application/json");
  expect(rawBody.every((byte) => byte < 128)).toBe(true);
  expect(rawBody.toString()).toContain(String.raw`Zo\u00eb M\u00fcller`);
  expect(rawBody.toString()).toContain(String.raw`UDP\/TLS\/RTP\/SAVPF`);
  const reserialised = Buffer.from(JSON.stringify(JSON.parse(rawBody.toString())));
  expect(sign(reserialised)).not.toBe(sign(rawBody));
});

test("connect and terminate have the fields of real ones in their order", async () => {
  const call = await simulator.call({ deeplinkPayload: "d", ctaPayload: "c" });
  const [first] = receiver.received;
  const envelope = JSON.parse(first?.rawBody.toString() ?? "");
  expect(Object.keys(envelope)).toEqual(["object", "entry"]);
  expect(Object.keys(envelope.entry[0].changes[0])).toEqual(["field", "value"]);
  const { value } = envelope.entry[0].changes[0];
  expect(Object.keys(value)).toEqual(["messaging_product", "metadata", "contacts", "calls"]);
  expect(value.metadata).toEqual({ display_phone_number: "15550009999", phone_number_id: "100000000000001" });
  expect(value.contacts).toEqual([
    { profile: { name: "Zoë Müller" }, wa_id: "15550001111", user_id: expect.stringMatching(/^US\.\d+$/) },
  ]);
  const [connect] = value.calls;
  expect(Object.keys(connect)).toEqual(
    "id from from_user_id to event timestamp direction deeplink_payload cta_payload session".split(" "),
  );
  expect(Object.keys(connect.session)).toEqual(["sdp", "sdp_type"]);
  expect(connect).toMatchObject({ id: call.callId, timestamp: expect.stringMatching(/^\d{10}$/) });
  expect(call.callId).toMatch(/^wacid\.HBgL[\w+/]+=*$/);
  await act(simulator, "accept", call.callId);
  call.hangUp();
  await call.ended;
  expect(Object.keys(receiver.events()[1] ?? {})).toEqual(
    "id from from_user_id to event timestamp direction deeplink_payload cta_payload start_time end_time duration status".split(
      " ",
    ),
  );
});

test("a caller who hides the number is known by the user id alone", async () => {
  await simulator.call({ hideNumber: true });
  expect(receiver.received[0]?.rawBody.toString()).not.toContain("15550001111");
  expect(receiver.events()[0]).toMatchObject({ from_user_id: expect.stringMatching(/^US\./) });
});

test("an old offer says so in its timestamp", async () => {
  await simulator.call({ offerAgeMs: 120_000 });
  const ageSeconds = Date.now() / 1_000 - Number(receiver.events()[0]?.["timestamp"]);
  expect(ageSeconds).toBeGreaterThan(119);
  expect(ageSeconds).toBeLessThan(125);
});

test("a webhook is sent again, byte for byte, after anything but 200 and after silence", async () => {
  await simulator.close();
  await start(500);
  receiver.answers.push(500, 204, "hang");
  const call = await simulator.call();
  expect(eventNames()).toEqual(["connect", "connect", "connect", "connect"]);
  const bodies = new Set(receiver.received.map(({ rawBody }) => rawBody.toString()));
  expect(bodies.size).toBe(1);
  call.hangUp();
  const { timeline } = await call.ended;
  expect((timeline.webhookAnsweredMs ?? 0) - timeline.webhookSentMs).toBeGreaterThan(490);
});

test("a webhook that is never answered says so", async () => {
  await simulator.close();
  await start(50);
  receiver.answers.push("hang", "hang", "hang", "hang");
  await expect(simulator.call()).rejects.toMatchObject({
    details: { status: null, attempts: 4 },
    message: expect.stringContaining("no answer in time"),
    cause: { name: "TimeoutError" },
  });
});

test("of an answer without end only the beginning is read", async () => {
  let wasCut = false;
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(200);
    const pour = setInterval(() => response.write(Buffer.alloc(16_384, "x")), 1);
    response.on("close", () => {
      clearInterval(pour);
      wasCut = true;
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  simulator.webhookUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const call = await simulator.call();
  expect(call.phase).toBe("ringing");
  await expect.poll(() => wasCut).toBe(true);
  server.closeAllConnections();
  server.close();
});

test("retries end", async () => {
  receiver.answers.push(500, 500, 500, 500, 500);
  await expect(simulator.call()).rejects.toMatchObject({ details: { status: 500, attempts: 4 } });
  expect(receiver.received).toHaveLength(4);
});

test("nothing listens: the call is refused without a status", async () => {
  await receiver[Symbol.asyncDispose]();
  await expect(simulator.call()).rejects.toMatchObject({ details: { status: null, attempts: 4 } });
  receiver = await startReceiver();
});

test("duplicates repeat every webhook of the call", async () => {
  const call = await simulator.call({ webhooks: { duplicate: 2 } });
  call.hangUp();
  await call.ended;
  expect(eventNames()).toEqual(["connect", "connect", "connect", "terminate", "terminate", "terminate"]);
});

test("a delayed connect comes late, and keeps the time of the call", async () => {
  const startedAtMs = performance.now();
  const call = await simulator.call({ webhooks: { delayMs: 100 } });
  expect(performance.now() - startedAtMs).toBeGreaterThan(95);
  call.hangUp();
  expect((await call.ended).timeline.webhookSentMs).toBeGreaterThan(startedAtMs + 95);
});

test("a simulator that closes does not wait for a delayed connect", async () => {
  const placing = expect(simulator.call({ webhooks: { delayMs: 60_000 } })).rejects.toMatchObject({
    code: "SIMULATOR_WRONG_STATE",
  });
  await expect.poll(() => simulator.calls).toHaveLength(1);
  await simulator.close();
  await placing;
  expect(receiver.received).toEqual([]);
});

test("terminate may come before connect", async () => {
  const call = await simulator.call({ webhooks: { terminateBeforeConnect: true } });
  expect(eventNames()).toEqual(["terminate", "connect"]);
  expect(call.phase).toBe("ended");
  expect(await call.ended).toMatchObject({ endedBy: "caller" });
});

test("connect may come again after terminate", async () => {
  const call = await simulator.call({ webhooks: { connectAgainAfterTerminate: true } });
  call.hangUp();
  await call.ended;
  expect(eventNames()).toEqual(["connect", "terminate", "connect"]);
});

test("several calls come in one webhook", async () => {
  const calls = await simulator.callMany([{ from: "15550001111" }, { from: "15550002222" }]);
  expect(receiver.received).toHaveLength(1);
  expect(callsOf(receiver.received[0]?.rawBody ?? Buffer.alloc(0)).map(({ id }) => id)).toEqual(
    calls.map(({ callId }) => callId),
  );
});

test("noise surrounds the call with what a later version may send", async () => {
  const call = await simulator.call({ webhooks: { statusNoise: true } });
  const envelope = JSON.parse(receiver.received[0]?.rawBody.toString() ?? "");
  const { changes } = envelope.entry[0];
  expect(changes.map((change: { field: string }) => change.field)).toEqual(["messages", "calls"]);
  expect(eventNames()).toEqual(["event_of_a_later_version", "connect"]);
  expect(receiver.events()[1]).toMatchObject({ id: call.callId, field_of_a_later_version: { level: 1 } });
});
