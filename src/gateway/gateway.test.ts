import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { readSample } from "../../test/fixtures/sdp/samples.ts";
import { type Logger, silentLogger } from "../logger.ts";
import { createSignedWebhook, ManualClock, ScriptedMediaEngine } from "../testing/index.ts";
import type { CallHandler } from "./call.ts";
import { createGateway, type Gateway } from "./gateway.ts";
import type { GatewayOptions } from "./options.ts";

const SECRET = "an-app-secret";
const OPTIONS = {
  token: "token-of-the-gateway",
  appSecret: SECRET,
  verifyToken: "a-verify-token",
  phoneNumbers: ["100000000000001", { id: "100000000000002", token: "token-of-the-second" }],
} as const satisfies GatewayOptions;
const answer: CallHandler = (call) => call.answer();

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface GraphStub {
  readonly url: string;
  readonly seen: { readonly number: string; readonly token: string; readonly action: string }[];
  /** Requests are taken and never answered while it is true. */
  hangs: boolean;
}

async function startGraph(): Promise<GraphStub> {
  const seen: GraphStub["seen"] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { action } = JSON.parse(Buffer.concat(chunks).toString());
      const token = request.headers.authorization?.replace("Bearer ", "") ?? "";
      seen.push({ number: request.url?.split("/")[2] ?? "", token, action });
      if (!stub.hangs) response.end(JSON.stringify({ success: true }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  const stub: GraphStub = { url: `http://127.0.0.1:${port}`, seen, hangs: false };
  return stub;
}

function start(options: Partial<GatewayOptions> = {}, handler: CallHandler = answer): Gateway {
  const media = { engine: new ScriptedMediaEngine() };
  const gateway = createGateway({ ...OPTIONS, media, store: "memory", ...options }).onCall(handler);
  cleanups.push(() => gateway.close());
  return gateway;
}

async function ring(url: string, numberId: string, callId: string): Promise<void> {
  const sdp = readSample("live-uic-offer-by-meta-20251017");
  const calls = [
    { id: callId, event: "connect", direction: "USER_INITIATED", session: { sdp, sdp_type: "offer" } },
  ];
  const metadata = { phone_number_id: numberId };
  const value = { messaging_product: "whatsapp", metadata, calls };
  const entry = [{ id: "1", changes: [{ field: "calls", value }] }];
  const { body, headers } = createSignedWebhook({ object: "whatsapp_business_account", entry }, SECRET);
  const response = await fetch(url, { method: "POST", body: Buffer.from(body), headers });
  expect(response.status).toBe(200);
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error("the condition did not hold within 5 s");
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

test("each number's calls are answered with its own token", async () => {
  const graph = await startGraph();
  const { url } = await start({ graph: { url: graph.url } }).listen({ port: 0 });
  await ring(url, "100000000000001", "wacid.one");
  await ring(url, "100000000000002", "wacid.one");
  await until(() => graph.seen.length === 4);
  for (const action of ["pre_accept", "accept"]) {
    expect(graph.seen).toContainEqual({ number: "100000000000001", token: OPTIONS.token, action });
    expect(graph.seen).toContainEqual({ number: "100000000000002", token: "token-of-the-second", action });
  }
});

test("an event that breaks on a logger of the program's ends neither the process nor its neighbours", async () => {
  const graph = await startGraph();
  let children = 0;
  const child = (): Logger => {
    children += 1;
    if (children === 1) throw new Error("a fault of the logger");
    return silentLogger;
  };
  const logger = { ...silentLogger, child };
  const { url } = await start({ graph: { url: graph.url }, logger }).listen({ port: 0 });
  await ring(url, "100000000000001", "wacid.one");
  await ring(url, "100000000000001", "wacid.two");
  await until(() => graph.seen.length === 2);
});

describe("a store with a data key", () => {
  test("has endpoints' secrets encrypted, and with another key the gateway does not start", async () => {
    const folder = mkdtempSync(join(tmpdir(), "ringback-key-"));
    cleanups.push(() => rmSync(folder, { recursive: true }));
    const secret = `whsec_${Buffer.alloc(32, 5).toString("base64")}`;
    const events = { url: "https://crm.example/events", secret };
    const first = start({ store: { folder, dataKey: "k".repeat(32) }, events });
    await first.listen({ port: 0 });
    await first.close();
    const bytes = readFileSync(join(folder, "ringback.db")).toString("latin1");
    expect(bytes).toContain("https://crm.example/events");
    expect(bytes).not.toContain(secret.slice(6, 30));
    const second = start({ store: { folder, dataKey: "l".repeat(32) }, events });
    await expect(second.listen({ port: 0 })).rejects.toMatchObject({
      code: "OPTION_INVALID",
      details: { option: "dataKey" },
    });
  });
});

describe("close", () => {
  test("gives a Graph API that hangs five seconds, then goes without it", async () => {
    const graph = await startGraph();
    const clock = new ManualClock();
    const gateway = start({ graph: { url: graph.url }, clock, timers: clock });
    const { url } = await gateway.listen({ port: 0 });
    await ring(url, "100000000000001", "wacid.one");
    await until(() => graph.seen.length === 2);
    graph.hangs = true;
    const closing = gateway.close();
    await until(() => graph.seen.at(-1)?.action === "terminate");
    clock.advance(4_999);
    expect(gateway.status.calls).toBe(1);
    clock.advance(1);
    await closing;
    expect(gateway.status).toMatchObject({ state: "closed", calls: 0 });
    await gateway.closed;
  });

  test("while listen is under way wins: nothing is left open", async () => {
    const gateway = start();
    const listening = gateway.listen({ port: 0 });
    const failed = expect(listening).rejects.toMatchObject({ code: "GATEWAY_WRONG_STATE" });
    await gateway.close();
    await failed;
    expect(gateway.status.state).toBe("closed");
  });

  test("counts calls on an engine that was handed in under media, as one worker", async () => {
    const gateway = start();
    expect(gateway.status.media.workers).toMatchObject([{ isUp: true, port: null, calls: 0 }]);
  });

  test("has a worker thread for media by default, on one UDP port", async () => {
    const gateway = start({ media: { bindAddress: "127.0.0.1" } });
    expect(gateway.status.media.workers).toEqual([]);
    await gateway.listen({ port: 0 });
    const [worker, ...others] = gateway.status.media.workers;
    expect(others).toEqual([]);
    expect(worker).toMatchObject({ isUp: true, addresses: ["127.0.0.1"], calls: 0, restarts: 0 });
    expect(worker?.port).toBeGreaterThan(0);
    await gateway.close();
    expect(gateway.status.media.workers).toMatchObject([{ isUp: false }]);
  });

  test.each([
    [{ workers: 0 }, "media.workers"],
    [{ workers: 65 }, "media.workers"],
    [{ port: 65_536 }, "media.port"],
    [{ port: 65_535, workers: 2 }, "media.port"],
  ])("refuses media options %o", (media, option) => {
    expect(() => createGateway({ ...OPTIONS, media })).toThrow(
      expect.objectContaining({ code: "OPTION_INVALID", details: { option } }),
    );
  });

  test("cannot listen with a media address that is not this machine's, and says so", async () => {
    const gateway = start({ media: { bindAddress: "203.0.113.7" } });
    await expect(gateway.listen({ port: 0 })).rejects.toMatchObject({ code: "MEDIA_ENGINE_FAILED" });
    expect(gateway.status.state).toBe("closed");
  });

  test("closes an engine that was handed in, also when nothing was listened to", async () => {
    const engine = new ScriptedMediaEngine();
    await start({ media: { engine } }).close();
    expect(engine.isClosed).toBe(true);
  });
});

describe("drain", () => {
  test("waits for the running call, however often it is asked, and stops waiting at the signal", async () => {
    const graph = await startGraph();
    const gateway = start({ graph: { url: graph.url } });
    const { url } = await gateway.listen({ port: 0 });
    await ring(url, "100000000000001", "wacid.one");
    await until(() => graph.seen.length === 2);
    const stop = new AbortController();
    let drained = 0;
    const first = gateway.drain().then(() => {
      drained += 1;
    });
    const second = gateway.drain().then(() => {
      drained += 1;
    });
    const third = gateway.drain({ signal: stop.signal });
    await ring(url, "100000000000001", "wacid.two");
    await until(() => graph.seen.at(-1)?.action === "reject");
    stop.abort();
    await third;
    expect(drained).toBe(0);
    const ready = await fetch(url.replace("/webhook", "/readyz"));
    expect([ready.status, await ready.json()]).toEqual([503, { ready: false, reasons: ["draining"] }]);
    await gateway.close();
    await Promise.all([first, second]);
  });

  test("of an idle gateway is done at once", async () => {
    await start().drain();
  });
});

describe("listen", () => {
  test("on a port that is taken says so by the option's name", async () => {
    const { url } = await start().listen({ port: 0 });
    const second = start();
    await expect(second.listen({ port: Number(new URL(url).port) })).rejects.toMatchObject({
      code: "OPTION_INVALID",
      details: { option: "port" },
      retryable: true,
    });
    expect(second.status.state).toBe("closed");
  });

  test.each([
    ["host", { host: "192.0.2.1", port: 0 }],
    ["port", { port: 70_000 }],
  ])("on a %s that cannot be had says so", async (option, options) => {
    const failed = start().listen(options);
    await expect(failed).rejects.toMatchObject({ code: "OPTION_INVALID", details: { option } });
  });

  test("without a handler or twice is refused", async () => {
    const gateway = createGateway(OPTIONS);
    await expect(gateway.listen({ port: 0 })).rejects.toMatchObject({ code: "GATEWAY_WRONG_STATE" });
    await gateway.close();
    const running = start();
    await running.listen({ port: 0 });
    await expect(running.listen({ port: 0 })).rejects.toMatchObject({ code: "GATEWAY_WRONG_STATE" });
    expect(() => running.onCall(answer)).toThrow(expect.objectContaining({ code: "GATEWAY_WRONG_STATE" }));
  });
});

test.each<[string, object]>([
  ["token", { token: "" }],
  ["token", { token: undefined }],
  ["token", { token: "two words" }],
  ["appSecret", { appSecret: [] }],
  ["appSecret", { appSecret: ["one", ""] }],
  ["verifyToken", { verifyToken: undefined }],
  ["phoneNumbers", { phoneNumbers: [] }],
  ["phoneNumbers", { phoneNumbers: [""] }],
  ["phoneNumbers", { phoneNumbers: ["+1 555 000 9999"] }],
  ["phoneNumbers[].token", { phoneNumbers: [{ id: "1", token: "" }] }],
  ["graph.url", { graph: { url: "http://graph.example" } }],
  ["graph.version", { graph: { version: "26" } }],
  ["graph.timeoutMs", { graph: { timeoutMs: 0 } }],
  ["maxCalls", { maxCalls: 0 }],
  ["call.answerWindowMs", { call: { answerWindowMs: 1.5 } }],
])("an unusable %s is refused by name when the gateway is made", (option, options) => {
  const make = (): unknown => createGateway({ ...OPTIONS, ...options } as GatewayOptions);
  expect(make).toThrow(expect.objectContaining({ code: "OPTION_INVALID", details: { option } }));
});
