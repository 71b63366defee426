import { expect, onTestFinished, test } from "vitest";
import { createGateway } from "../../src/index.ts";
import { createJsonLogger } from "../../src/platform/log.ts";
import { signWebhook } from "../../src/whatsapp/signature.ts";
import { parseWebhook } from "../../src/whatsapp/webhook.ts";
import { startHttpRig } from "../support/http-rig.ts";
import { fixtureNames, readFixture } from "../support/webhook-fixtures.ts";
import { until } from "./fixture.ts";
import { BulkCalls } from "./privacy-bulk.ts";
import { callsWithBadOffers, eventsOfOthers, FORBIDDEN, goodCalls, VALUES } from "./privacy-day.ts";
import { Scan } from "./privacy-scan.ts";

const WANTED_BYTES = 100 * 1024 * 1024;
/** What must have been written for the test to mean something. */
const LINES: readonly string[] = [
  "webhook refused",
  "HTTP request answered",
  "HTTP request refused",
  "API request refused",
  "webhook of a number that is not configured",
  "webhook event without a use",
  "call step",
  "no answer could be built",
  "Graph request failed",
  "call handler failed",
  "call ended",
  "a delivery failed",
];

test("100 MB of debug logs of a day hold nothing that is secret or personal", {
  timeout: 180_000,
}, async () => {
  const scan = new Scan(FORBIDDEN);
  const logger = createJsonLogger("debug", scan);
  // The Graph API refuses everything, and quotes what it was sent.
  const graph = await startHttpRig(({ body, headers }, response) => {
    const message = `refused: ${body} ${headers.authorization ?? ""}`;
    response.writeHead(400, { "content-type": "application/json" });
    response.end(JSON.stringify({ error: { code: 100, message, error_data: { details: message } } }));
  });
  await using gateway = createGateway({
    token: VALUES.token,
    appSecret: VALUES.appSecret,
    verifyToken: VALUES.verifyToken,
    phoneNumbers: ["100000000000001"],
    graph: { url: graph.url },
    store: "memory",
    events: { url: `${graph.url}/${VALUES.path}`, secret: VALUES.endpointSecret },
    requests: { allowHttp: true, allowedHosts: ["127.0.0.1"] },
    logger,
  }).onCall(async (call) => {
    await call.answer();
    await call.say(VALUES.spoken);
  });
  const { url, apiUrl } = await gateway.listen({ port: 0, api: { port: 0 } });
  const post = (body: Uint8Array, signature: string): Promise<number> => send(url, body, signature);

  for (const name of fixtureNames) {
    const body = readFixture(name);
    const signature = signWebhook(body, VALUES.appSecret);
    await post(body, signature);
    await post(body, signature);
    await post(body, `sha256=${"0".repeat(64)}`);
    await post(body.subarray(5), signWebhook(body.subarray(5), VALUES.appSecret));
  }
  await fetch(`${url}?hub.mode=subscribe&hub.verify_token=${VALUES.verifyToken}x&hub.challenge=1`);
  await fetch(`${url}?hub.mode=subscribe&hub.verify_token=${VALUES.verifyToken}&hub.challenge=1`);
  for (const path of ["/v1/calls", `/v1/calls?number=${VALUES.number}`, `/v1/subjects/${VALUES.number}`]) {
    await fetch(`${apiUrl}${path}`, { headers: { authorization: `Bearer ${VALUES.apiKey}` } });
  }

  for (const body of [callsWithBadOffers(1, 20), goodCalls(2, 20), eventsOfOthers(3, 200)]) {
    expect(await post(body, signWebhook(body, VALUES.appSecret))).toBe(200);
  }
  await until(() => (scan.messages.get("call ended") ?? 0) >= 40, 30_000);

  // vitest's own way of writing stacks takes most of the time, and nothing of it is tested here.
  const before = Object.getOwnPropertyDescriptor(Error, "prepareStackTrace");
  Reflect.deleteProperty(Error, "prepareStackTrace");
  onTestFinished(() => {
    if (before !== undefined) Object.defineProperty(Error, "prepareStackTrace", before);
  });
  const bulk = new BulkCalls(logger, (call) => {
    throw new Error(`the program failed with ${call.id} of ${call.caller.phoneNumber}`);
  });
  const events = [callsWithBadOffers(4, 50), goodCalls(5, 50), eventsOfOthers(6, 50)].flatMap((body) => {
    return parseWebhook(body).events;
  });
  while (scan.bytes < WANTED_BYTES) await bulk.take(events);
  expect(scan.found).toEqual([]);
  for (const message of LINES) expect(scan.messages.get(message) ?? 0, message).toBeGreaterThan(0);
});

async function send(url: string, body: Uint8Array, signature: string): Promise<number> {
  const headers = { "content-type": "application/json", "x-hub-signature-256": signature };
  const response = await fetch(url, { method: "POST", headers, body });
  await response.arrayBuffer();
  return response.status;
}
