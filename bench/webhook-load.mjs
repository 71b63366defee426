// WhatsApp without phones, in a process of its own: webhooks at a steady rate, the Graph API, and an endpoint that takes events.
// Over IPC: { open } gives the URLs; { send: { url, perSecond, seconds, of } } the times from webhook to 200, in ms;
// { receive: { count } } how long the events took; { stop } ends it.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { createSignedWebhook } from "ringback/testing";
import { Agent, request } from "undici";

const OFFER = readFileSync(
  new URL("../test/fixtures/sdp/live-uic-offer-by-meta-20251017.sdp", import.meta.url),
  "utf8",
);
const NUMBER = { display_phone_number: "15550009999", phone_number_id: "100000000000001" };
/** `terminate` follows `connect` after it. */
const CALL_MS = 300;
const RECEIVE_LIMIT_MS = 120_000;
const agent = new Agent({ connections: 128 });
let calls = 0;
let received = [];

const graph = createServer((incoming, response) => {
  incoming.resume().on("end", () => json(response, { messaging_product: "whatsapp", success: true }));
});
const endpoint = createServer((incoming, response) => {
  incoming.resume().on("end", () => {
    received.push(performance.now());
    response.writeHead(204).end();
  });
});

process.on("message", (message) => {
  if (message.open) void open();
  if (message.send) void send(message.send).then((figures) => process.send(figures));
  if (message.receive) void receive(message.receive).then((figures) => process.send(figures));
  if (message.stop) process.exit(0);
});

async function open() {
  process.send({ graphUrl: await listen(graph), endpointUrl: `${await listen(endpoint)}/events` });
}

/**
 * Half of the webhooks are `connect`, the others the `terminate` of calls from before; or all of them are `statuses`, which are journalled
 * and make no call.
 */
async function send({ url, perSecond, seconds, of = "calls" }) {
  const times = [];
  const statuses = {};
  const post = async (webhook) => {
    const startMs = performance.now();
    const answer = await request(url, { method: "POST", ...webhook, dispatcher: agent });
    await answer.body.dump();
    times.push(performance.now() - startMs);
    statuses[answer.statusCode] = (statuses[answer.statusCode] ?? 0) + 1;
  };
  const underWay = [];
  const beginMs = performance.now();
  const count = Math.floor((perSecond * seconds) / 2);
  for (let i = 0; i < count; i++) {
    const waitMs = beginMs + (i * 2_000) / perSecond - performance.now();
    if (waitMs > 0) await delay(waitMs);
    const [connect, terminate] = of === "calls" ? webhooksOfCall() : [statusWebhook(), statusWebhook()];
    underWay.push(
      post(connect),
      delay(CALL_MS).then(() => post(terminate)),
    );
  }
  await Promise.all(underWay);
  return { times, statuses, seconds: (performance.now() - beginMs) / 1_000 };
}

async function receive({ count }) {
  const limitMs = performance.now() + RECEIVE_LIMIT_MS;
  while (received.length < count && performance.now() < limitMs) await delay(20);
  const [first, last] = [received[0], received.at(-1)];
  const figures = { count: received.length, ms: last - first };
  received = [];
  return figures;
}

function webhooksOfCall() {
  calls += 1;
  const from = String(15_550_300_000 + calls);
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const call = { id: `wacid.bench${process.pid}x${calls}`, from, to: NUMBER.display_phone_number, timestamp };
  const connect = {
    ...call,
    event: "connect",
    direction: "USER_INITIATED",
    session: { sdp: OFFER, sdp_type: "offer" },
  };
  const terminate = { ...call, event: "terminate", direction: "USER_INITIATED", status: "COMPLETED" };
  return [connect, terminate].map((event) => signed({ calls: [event] }));
}

function statusWebhook() {
  calls += 1;
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const id = `wacid.bench${process.pid}x${calls}`;
  return signed({
    statuses: [{ id, type: "call", status: "RINGING", timestamp, recipient_id: "15550300000" }],
  });
}

function signed(part) {
  const value = { messaging_product: "whatsapp", metadata: NUMBER, ...part };
  const body = { entry: [{ id: "1", changes: [{ field: "calls", value }] }] };
  return createSignedWebhook(body, "simulator-app-secret");
}

async function listen(server) {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${server.address().port}`;
}

function json(response, body) {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}
