import { once } from "node:events";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { describe, expect, test } from "vitest";
import {
  CALL,
  cleanups,
  createRig,
  createTestClient,
  DIAL,
  drop,
  expectNoSecrets,
  failureOf,
  graphError,
  json,
  never,
  ok,
  type Reply,
  SDP,
  TOKEN,
  text,
} from "../../test/support/graph-rig.ts";
import { createGraphClient } from "./graph-client.ts";

describe("repeats", () => {
  test("come after faults that pass, with growing delays", async () => {
    const { client, seen, delaysMs, attempts } = await createRig([drop, text(502, "<html>"), ok]);
    await client.terminate(CALL);
    expect(seen).toHaveLength(3);
    expect(delaysMs).toEqual([150, 300]);
    expect(attempts.map(({ attempt, outcome, status }) => [attempt, outcome, status])).toEqual([
      [1, "network", null],
      [2, "bad-response", 502],
      [3, "ok", 200],
    ]);
  });

  test.each<[string, Reply, object]>([
    ["lost connections", drop, { code: "GRAPH_UNREACHABLE", details: { reason: "network", attempts: 3 } }],
    [
      "errors on Meta's side",
      json(500, graphError(138004, "x")),
      { code: "GRAPH_REQUEST_FAILED", retryable: true },
    ],
    [
      "errors that Meta calls transient",
      json(400, graphError(7, "x", { is_transient: true })),
      { retryable: true },
    ],
    ["limits", json(429, graphError(138005, "x")), { code: "GRAPH_REQUEST_FAILED", retryable: true }],
  ])("end after the last attempt: %s", async (_, reply, expected) => {
    for (const act of ["preAccept", "accept", "reject", "terminate"] as const) {
      const { client, seen } = await createRig([reply]);
      const error = await failureOf(client[act]({ ...CALL, sdp: SDP }));
      expect(error).toMatchObject(expected);
      expectNoSecrets(error);
      expect(seen).toHaveLength(3);
    }
  });

  test("do not come for a code that no repeat cures, whatever the status", async () => {
    const { client, seen } = await createRig([json(500, graphError(138007, "x", { is_transient: true }))]);
    const error = await failureOf(client.accept({ ...CALL, sdp: SDP }));
    expect(error.retryable).toBe(false);
    expect(seen).toHaveLength(1);
  });

  test("wait as long as Graph asks, up to the longest delay", async () => {
    const limited = (seconds: string): Reply => json(429, graphError(4, "x"), { "retry-after": seconds });
    const short = await createRig([limited("1"), ok]);
    await short.client.terminate(CALL);
    expect(short.delaysMs).toEqual([1000]);
    const long = await createRig([limited("60"), ok]);
    expect(await failureOf(long.client.terminate(CALL))).toMatchObject({ retryable: true });
    expect(long.seen).toHaveLength(1);
  });

  test("of an accept whose answer was lost succeed when it had arrived", async () => {
    const { client, seen } = await createRig([drop, json(400, graphError(100, "Call is already accepted"))]);
    await client.accept({ ...CALL, sdp: SDP });
    expect(seen).toHaveLength(2);
    expect(seen[1]?.body).toEqual(seen[0]?.body);
  });

  test("are no excuse for an accept that was taken before it was sent at all", async () => {
    const { client } = await createRig([json(400, graphError(100, "Call is already accepted"))]);
    expect(await failureOf(client.accept({ ...CALL, sdp: SDP }))).toMatchObject({
      code: "GRAPH_REQUEST_FAILED",
    });
  });

  test.each<[string, Reply, boolean]>([
    ["a lost connection", drop, false],
    ["an error on Meta's side", json(500, graphError(138004, "x")), true],
    ["a limit", json(429, graphError(138005, "x")), true],
    ["a proxy's error", text(502, "<html>"), false],
  ])("never come for a dial after %s", async (_, reply, retryable) => {
    const { client, seen } = await createRig([reply]);
    const error = await failureOf(client.connect(DIAL));
    expect(error.retryable).toBe(retryable);
    expect(seen).toHaveLength(1);
    expectNoSecrets(error);
  });

  test("come over a fresh connection when the kept-alive one is dead", async () => {
    const requests = new WeakMap<object, number>();
    const dieOnReuse: Reply = (response, request) => {
      const count = (requests.get(request.socket) ?? 0) + 1;
      requests.set(request.socket, count);
      if (count === 1) ok(response, request);
      else request.socket.destroy();
    };
    const { client, attempts } = await createRig([dieOnReuse]);
    // Which request gets a used connection is the pool's affair, so there are several.
    for (let call = 0; call < 5; call += 1) await client.accept({ ...CALL, sdp: SDP });
    expect(attempts.filter(({ outcome }) => outcome === "ok")).toHaveLength(5);
    expect(attempts.some(({ attempt, outcome }) => attempt === 1 && outcome === "network")).toBe(true);
  });

  test("are told apart: a connection that broke may have carried the request", async () => {
    const { client } = await createRig([drop]);
    const error = await failureOf(client.connect(DIAL));
    expect(error.message).toContain("broke before an answer came for connect");
  });

  test("come for every action when nothing listens", async () => {
    const probe = createTcpServer().listen(0, "127.0.0.1");
    await once(probe, "listening");
    const { port } = probe.address() as AddressInfo;
    await new Promise((resolve) => probe.close(resolve));
    const { client, delaysMs } = createTestClient(`http://127.0.0.1:${port}`);
    const error = await failureOf(client.connect(DIAL));
    expect(error).toMatchObject({
      code: "GRAPH_UNREACHABLE",
      retryable: true,
      details: { reason: "network", attempts: 3 },
      message: expect.stringContaining("ECONNREFUSED"),
    });
    expect(delaysMs).toHaveLength(2);
    expectNoSecrets(error);
  });
});

test("a server that echoes the request does not bring the token into the error", async () => {
  const echo = createTcpServer((socket) => socket.pipe(socket)).listen(0, "127.0.0.1");
  await once(echo, "listening");
  cleanups.push(() => new Promise((resolve) => echo.close(resolve)));
  const { port } = echo.address() as AddressInfo;
  const { client } = createTestClient(`http://127.0.0.1:${port}`);
  const error = await failureOf(client.accept({ ...CALL, sdp: SDP }));
  expect(error).toMatchObject({ code: "GRAPH_UNREACHABLE", details: { reason: "network" } });
  expectNoSecrets(error);
});

test("fifty requests at once do not wait for one another", async () => {
  const waiting: (() => void)[] = [];
  const { client } = await createRig([
    (response, request) => {
      waiting.push(() => ok(response, request));
      if (waiting.length === 50) for (const answer of waiting) answer();
    },
  ]);
  await Promise.all(Array.from({ length: 50 }, () => client.terminate(CALL)));
  expect(waiting).toHaveLength(50);
});

describe("time limits", () => {
  test.each<[string, Reply]>([
    ["no answer comes", never],
    ["an answer does not end", (response) => void response.writeHead(200).write("{")],
  ])("end an attempt when %s", async (_, reply) => {
    const { client, seen } = await createRig([reply], { timeoutMs: 60, retry: { attempts: 2 } });
    const error = await failureOf(client.terminate(CALL));
    expect(error).toMatchObject({
      code: "GRAPH_UNREACHABLE",
      retryable: true,
      details: { reason: "timeout", attempts: 2 },
    });
    expect(seen).toHaveLength(2);
    expectNoSecrets(error);
  });

  test("leave a dial open, which is not repeated", async () => {
    const { client, seen } = await createRig([never], { timeoutMs: 60 });
    const error = await failureOf(client.connect(DIAL));
    expect(error).toMatchObject({ retryable: false, details: { reason: "timeout", attempts: 1 } });
    expect(seen).toHaveLength(1);
  });
});

describe("signals", () => {
  test("end a request under way with their reason, without a repeat", async () => {
    const controller = new AbortController();
    const reason = new Error("the user hung up");
    const { client, seen } = await createRig([() => controller.abort(reason)]);
    await expect(client.accept({ ...CALL, sdp: SDP, signal: controller.signal })).rejects.toBe(reason);
    expect(seen).toHaveLength(1);
  });

  test("end the wait between attempts", async () => {
    const controller = new AbortController();
    const { baseUrl } = await createRig([json(500, graphError(2, "x"))]);
    const client = createGraphClient({
      token: TOKEN,
      baseUrl,
      retry: { baseDelayMs: 60_000, maxDelayMs: 60_000 },
      onAttempt: () => setImmediate(() => controller.abort("hung up")),
    });
    cleanups.push(() => client.close());
    await expect(client.terminate({ ...CALL, signal: controller.signal })).rejects.toBe("hung up");
  });

  test("that have aborted before send nothing", async () => {
    const { client, seen } = await createRig([ok]);
    await expect(client.terminate({ ...CALL, signal: AbortSignal.abort("over") })).rejects.toBe("over");
    expect(seen).toEqual([]);
  });
});
