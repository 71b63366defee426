import { once } from "node:events";
import { connect } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { WebSocket } from "ws";
import {
  addCall,
  NUMBER_ID,
  newEvent,
  openApiRig,
  type StoreApiRig,
} from "../../../../test/support/api-rig.ts";
import type { EventEnvelope } from "../../../core/events/event-types.ts";

interface Message {
  readonly type: string;
  readonly cursor?: string;
  readonly code?: string;
  readonly event?: EventEnvelope;
}

interface Client {
  readonly socket: WebSocket;
  readonly messages: Message[];
  readonly closed: Promise<[number, string]>;
  say(message: object | string): void;
  seqs(): readonly number[];
}

interface ClientOptions {
  readonly key?: string;
  readonly protocols?: readonly string[];
  readonly headers?: Record<string, string>;
  readonly autoPong?: boolean;
}

async function open(rig: StoreApiRig, options: ClientOptions = {}): Promise<Client> {
  const { key = await rig.key(), protocols = ["ringback.v1"], headers, autoPong = true } = options;
  const url = `${rig.url.replace("http", "ws")}/v1/events/stream`;
  const socket = new WebSocket(url, [...protocols], {
    autoPong,
    headers: headers ?? { authorization: `Bearer ${key}` },
  });
  onTestFinished(() => socket.terminate());
  const messages: Message[] = [];
  socket.on("message", (data: Buffer) => messages.push(JSON.parse(data.toString()) as Message));
  const closed = new Promise<[number, string]>((resolve) => {
    socket.once("close", (code, reason) => resolve([code, String(reason)]));
  });
  await once(socket, "open");
  return {
    socket,
    messages,
    closed,
    say: (message) => socket.send(typeof message === "string" ? message : JSON.stringify(message)),
    seqs: () => messages.flatMap(({ event }) => event?.seq ?? []),
  };
}

/** The status that a handshake is refused with. */
function refusal(
  rig: StoreApiRig,
  headers: Record<string, string>,
  protocols: string[] = [],
): Promise<number> {
  const url = `${rig.url.replace("http", "ws")}/v1/events/stream`;
  const socket = new WebSocket(url, protocols, { headers });
  return new Promise((resolve, reject) => {
    socket.once("unexpected-response", (request, response) => {
      request.destroy();
      resolve(response.statusCode ?? 0);
    });
    socket.once("open", () => reject(new Error("it was let in")));
    socket.on("error", () => {});
  });
}

test("what was missed comes first, then what happens, each with its cursor", async () => {
  const rig = await openApiRig();
  const callId = await addCall(rig.store);
  const client = await open(rig);
  expect(client.socket.protocol).toBe("ringback.v1");
  client.say({ type: "subscribe", after: "oldest" });
  await vi.waitFor(() => expect(client.seqs()).toEqual([1]));
  await rig.store.calls.commit({ callId, events: [newEvent()] });
  await vi.waitFor(() => expect(client.seqs()).toEqual([1, 2]));
  expect(client.messages[0]).toEqual({ type: "ready", cursor: expect.any(String) });
  expect(client.messages[1]).toMatchObject({ type: "event", event: { call_id: callId, attempt: 1 } });

  const later = await open(rig);
  later.say({ type: "subscribe", after: client.messages[1]?.cursor });
  await vi.waitFor(() => expect(later.seqs()).toEqual([2]));
});

test("a filter holds for what was and for what comes; a key of one number sees no other", async () => {
  const rig = await openApiRig();
  const own = await addCall(rig.store);
  const other = await addCall(rig.store, { phoneNumberId: "200000000000000" });
  const client = await open(rig, { key: await rig.key({ phoneNumberId: NUMBER_ID }) });
  client.say({ type: "subscribe", after: "oldest", filter: { type: ["call.incoming", "call.ended"] } });
  await vi.waitFor(() => expect(client.seqs()).toEqual([1]));
  await rig.store.calls.commit({ callId: other, events: [newEvent("call.ended")] });
  await rig.store.calls.commit({ callId: own, events: [newEvent()] });
  await rig.store.calls.commit({ callId: own, events: [newEvent("call.ended")] });
  await vi.waitFor(() => expect(client.seqs()).toEqual([1, 3]));
  expect(client.messages.every(({ event }) => event === undefined || event.call_id === own)).toBe(true);

  const greedy = await open(rig, { key: await rig.key({ phoneNumberId: NUMBER_ID }) });
  greedy.say({ type: "subscribe", filter: { phone_number_id: "200000000000000" } });
  expect(await greedy.closed).toEqual([1008, "scope_missing"]);
});

test("a window holds events back until they are acknowledged", async () => {
  const rig = await openApiRig();
  const callId = await addCall(rig.store);
  for (let seq = 2; seq <= 6; seq += 1) await rig.store.calls.commit({ callId, events: [newEvent()] });
  const client = await open(rig);
  client.say({ type: "subscribe", after: "oldest", window: 2 });
  await vi.waitFor(() => expect(client.seqs()).toEqual([1, 2]));
  const cursorOf = (seq: number): string | undefined => {
    return client.messages.find(({ event }) => event?.seq === seq)?.cursor;
  };
  client.say({ type: "ack", cursor: cursorOf(1) });
  await vi.waitFor(() => expect(client.seqs()).toEqual([1, 2, 3]));
  client.say({ type: "ack", cursor: cursorOf(3) });
  await vi.waitFor(() => expect(client.seqs()).toEqual([1, 2, 3, 4, 5]));
});

test("who does not acknowledge within the time is cut off", async () => {
  const rig = await openApiRig({ streams: { times: { stallMs: 100 } } });
  const callId = await addCall(rig.store);
  await rig.store.calls.commit({ callId, events: [newEvent()] });
  const client = await open(rig);
  client.say({ type: "subscribe", after: "oldest", window: 1 });
  expect(await client.closed).toEqual([1006, ""]);
  expect(client.seqs()).toEqual([1]);
});

test("a key may come as a subprotocol, and is not said back", async () => {
  const rig = await openApiRig();
  const key = await rig.key();
  const client = await open(rig, { headers: {}, protocols: ["ringback.v1", `ringback.key.${key}`] });
  expect(client.socket.protocol).toBe("ringback.v1");
});

test("without a key, with a wrong one, without the scope, and from another page's origin, nobody is let in", async () => {
  const rig = await openApiRig({
    publicUrl: "https://api.example.com",
    allowedOrigins: ["https://desk.example.com"],
  });
  const key = await rig.key();
  const authorization = `Bearer ${key}`;
  expect(await refusal(rig, {})).toBe(401);
  expect(await refusal(rig, { authorization: `${authorization}x` })).toBe(401);
  expect(await refusal(rig, {}, ["ringback.v1", `ringback.key.${key.slice(0, -1)}`])).toBe(401);
  const poor = await rig.key({ scopes: ["calls:read"] });
  expect(await refusal(rig, { authorization: `Bearer ${poor}` })).toBe(403);
  for (const origin of ["https://evil.example", "null", "http://localhost", "https://api.example.com.evil"]) {
    expect(await refusal(rig, { authorization, origin })).toBe(403);
  }
  for (const origin of ["https://api.example.com", "https://desk.example.com", rig.url]) {
    const client = await open(rig, { headers: { authorization, origin } });
    client.socket.terminate();
  }
});

test("what is no message of a client ends the connection with its reason", async () => {
  const rig = await openApiRig();
  await addCall(rig.store);
  const say = async (...messages: (object | string)[]): Promise<[number, string]> => {
    const client = await open(rig);
    for (const message of messages) client.say(message);
    return client.closed;
  };
  expect(await say("hello")).toEqual([1008, "message_invalid"]);
  expect(await say({ type: "subscribe", filter: { type: [] } })).toEqual([1008, "message_invalid"]);
  expect(await say({ type: "subscribe", surplus: 1 })).toEqual([1008, "message_invalid"]);
  expect(await say({ type: "subscribe", after: "AAAA" })).toEqual([1008, "invalid_cursor"]);
  expect(await say({ type: "subscribe" }, { type: "subscribe" })).toEqual([1008, "subscribed_already"]);
  expect(await say({ type: "ack", cursor: "AAAA" })).toEqual([1008, "ack_unexpected"]);
  // RFC 6455, section 7.4.1: a message too big to process.
  expect(await say("x".repeat(5_000))).toEqual([1009, ""]);
});

test("acknowledgements without end are a flood", async () => {
  const rig = await openApiRig();
  await addCall(rig.store);
  const client = await open(rig);
  client.say({ type: "subscribe" });
  await vi.waitFor(() => expect(client.messages).toHaveLength(1));
  for (let count = 0; count < 101; count += 1) client.say({ type: "ack", cursor: "AAAA" });
  expect(await client.closed).toEqual([1008, "ack_unexpected"]);
});

test("who says nothing, and who answers no ping, is not kept", async () => {
  const rig = await openApiRig({ streams: { times: { subscribeMs: 50, heartbeatMs: 30 } } });
  await addCall(rig.store);
  const silent = await open(rig);
  expect(await silent.closed).toEqual([1008, "subscribe_missing"]);
  const deaf = await open(rig, { autoPong: false });
  deaf.say({ type: "subscribe" });
  expect(await deaf.closed).toEqual([1006, ""]);
});

test("broken frames and connections that vanish leave nothing behind", async () => {
  const rig = await openApiRig({ streams: { limits: { perKey: 1 } } });
  await addCall(rig.store);
  const key = await rig.key();
  for (let tries = 0; tries < 3; tries += 1) {
    await vi.waitFor(async () => {
      const client = await open(rig, { key });
      client.say({ type: "subscribe" });
      await vi.waitFor(() => expect(client.messages).toHaveLength(1));
      client.socket.terminate();
    });
  }
  await vi.waitFor(async () => (await open(rig, { key })).socket.terminate());
  const { port } = new URL(rig.url);
  const raw = connect(Number(port), "127.0.0.1");
  onTestFinished(() => void raw.destroy());
  raw.on("error", () => {});
  await vi.waitFor(async () => {
    const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13";
    const nonce = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    raw.write(
      `GET /v1/events/stream HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n${nonce}\r\nAuthorization: Bearer ${await rig.key()}\r\n\r\n`,
    );
  });
  const [answer] = (await once(raw, "data")) as [Buffer];
  expect(String(answer)).toMatch(/^HTTP\/1\.1 101 /);
  // A reserved opcode, unmasked.
  raw.write(Buffer.from([0x8f, 0x00]));
  await once(raw, "close");
  expect((await rig.request("GET", "/v1/events")).status).toBe(200);
});

test("as a plain request the path says what it is for", async () => {
  const rig = await openApiRig();
  const response = await rig.request("GET", "/v1/events/stream");
  expect(response.status).toBe(426);
  expect(response.headers.get("upgrade")).toBe("websocket");
});

test("closing the gateway says so to each client", async () => {
  const rig = await openApiRig();
  await addCall(rig.store);
  const [idle, listening] = [await open(rig), await open(rig)];
  listening.say({ type: "subscribe" });
  await vi.waitFor(() => expect(listening.messages).toHaveLength(1));
  await rig.close();
  expect(await idle.closed).toEqual([1001, "shutdown"]);
  expect(await listening.closed).toEqual([1001, "shutdown"]);
});
