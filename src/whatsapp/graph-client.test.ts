import { EventEmitter, once } from "node:events";
import { describe, expect, test } from "vitest";
import {
  CALL,
  createRig,
  createTestClient,
  DIAL,
  expectNoSecrets,
  failureOf,
  graphError,
  json,
  ok,
  type Reply,
  SDP,
  TOKEN,
  text,
} from "../../test/support/graph-rig.ts";
import { isRingbackError } from "../errors.ts";
import { createGraphClient, type GraphClient } from "./graph-client.ts";
import type { GraphClientOptions } from "./graph-options.ts";

describe("requests", () => {
  test("have the shape that each action needs", async () => {
    const { client, seen } = await createRig([ok, ok, ok, ok, json(200, { calls: [{ id: "wacid.NEW" }] })]);
    await client.preAccept({ ...CALL, sdp: SDP });
    await client.accept({ ...CALL, sdp: SDP, callbackData: "order-42" });
    expect(await client.reject(CALL)).toEqual({ alreadyEnded: false });
    expect(await client.terminate(CALL)).toEqual({ alreadyEnded: false });
    expect(await client.connect({ ...DIAL, callbackData: "x" })).toEqual({ callId: "wacid.NEW" });
    const shared = { messaging_product: "whatsapp", call_id: "wacid.ABC" };
    const session = { sdp_type: "answer", sdp: SDP };
    expect(seen.map(({ body }) => body)).toEqual([
      { ...shared, action: "pre_accept", session },
      { ...shared, action: "accept", session, biz_opaque_callback_data: "order-42" },
      { ...shared, action: "reject" },
      { ...shared, action: "terminate" },
      {
        messaging_product: "whatsapp",
        to: "15550001111",
        action: "connect",
        session: { sdp_type: "offer", sdp: SDP },
        biz_opaque_callback_data: "x",
      },
    ]);
    expect(seen[0]).toMatchObject({
      method: "POST",
      url: "/v26.0/100000000000001/calls",
      headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
    });
  });

  test("go below the path of the base URL, in the version that was set", async () => {
    const { baseUrl, seen } = await createRig([ok]);
    const { client } = createTestClient(`${baseUrl}/meta/graph//`, { apiVersion: "v25.0" });
    await client.terminate(CALL);
    expect(seen[0]?.url).toBe("/meta/graph/v25.0/100000000000001/calls");
  });

  test("dial a user id", async () => {
    const { client, seen } = await createRig([json(200, { success: true, calls: [{ id: "wacid.NEW" }] })]);
    await client.connect({ phoneNumberId: "1", recipient: "US.ENT.1349", sdp: SDP });
    expect(seen[0]?.body).toMatchObject({ recipient: "US.ENT.1349" });
    expect(seen[0]?.body).not.toHaveProperty("to");
  });

  test("reuse connections", async () => {
    const ports = new Set<number | undefined>();
    const { client } = await createRig([
      (response, request) => {
        ports.add(request.socket.remotePort);
        ok(response, request);
      },
    ]);
    for (let index = 0; index < 20; index += 1) await client.terminate(CALL);
    // The pool may take a second one when the next request comes in the very tick in which an answer ends.
    expect(ports.size).toBeLessThanOrEqual(2);
  });

  test.each([
    ["with messaging_product", { messaging_product: "whatsapp", success: true }],
    ["without messaging_product", { success: true }],
    ["with fields that are new", { success: true, extra: [1] }],
  ])("succeed %s", async (_, body) => {
    const { client, attempts } = await createRig([json(200, body)]);
    await client.accept({ ...CALL, sdp: SDP });
    expect(attempts).toMatchObject([{ action: "accept", attempt: 1, status: 200, outcome: "ok" }]);
  });

  test.each<[string, (client: GraphClient) => Promise<unknown>]>([
    ["phoneNumberId", (client) => client.terminate({ phoneNumberId: "../1", callId: "x" })],
    ["phoneNumberId", (client) => client.terminate({ phoneNumberId: "", callId: "x" })],
    ["callId", (client) => client.terminate({ phoneNumberId: "1", callId: "" })],
    ["sdp", (client) => client.accept({ ...CALL, sdp: '{"sdp":"v=0"}' })],
    ["callbackData", (client) => client.accept({ ...CALL, sdp: SDP, callbackData: "x".repeat(513) })],
    ["to", (client) => client.connect({ ...DIAL, to: "+1 555 000 1111" })],
    ["recipient", (client) => client.connect({ phoneNumberId: "1", recipient: "a/b", sdp: SDP })],
  ])("are not sent with a bad %s", async (option, act) => {
    const { client, seen } = await createRig([ok]);
    const error = await failureOf(act(client));
    expect(error).toMatchObject({ code: "OPTION_INVALID", details: { option } });
    expectNoSecrets(error);
    expect(seen).toEqual([]);
  });
});

describe("refusals", () => {
  test("carry Meta's texts and what to do about them", async () => {
    const { client, attempts } = await createRig([
      json(400, graphError(100, "Fingerprint algo is not SHA256")),
    ]);
    const error = await failureOf(client.accept({ ...CALL, sdp: SDP }));
    expect(error).toMatchObject({
      code: "GRAPH_REQUEST_FAILED",
      retryable: false,
      details: {
        status: 400,
        graphCode: 100,
        graphSubcode: 2494010,
        graphDetails: "Fingerprint algo is not SHA256",
        traceId: "ATrace",
        nextStep: expect.stringContaining("npx ringback sdp check"),
      },
    });
    expect(error.message).toContain('code 100/2494010, "Fingerprint algo is not SHA256"');
    expect(attempts).toMatchObject([{ status: 400, outcome: "refused" }]);
    expectNoSecrets(error);
  });

  test.each<[string, number, object, object]>([
    ["a token that has expired", 401, graphError(190, "x"), { graphCode: 190 }],
    ["a number without calling", 401, graphError(138000, "x"), { graphCode: 138000 }],
    ["a code in an answer with status 200", 200, graphError(138006, "x"), { status: 200, graphCode: 138006 }],
    ["an unknown code", 400, graphError(999999, "x"), { meaning: expect.stringContaining("does not know") }],
    ["no code", 400, { error: { message: "m" } }, { graphCode: null, graphSubcode: null, traceId: null }],
    ["details that are missing", 400, { error: { code: 100, message: "m" } }, { graphDetails: "m" }],
    [
      "fields of wrong types",
      400,
      { error: { code: "1", error_data: "x", fbtrace_id: 5 } },
      { graphDetails: null },
    ],
  ])("name %s", async (_, status, body, details) => {
    const { client, seen } = await createRig([json(status, body)]);
    const error = await failureOf(client.terminate(CALL));
    expect(error).toMatchObject({ code: "GRAPH_REQUEST_FAILED", retryable: false, details });
    expect(seen).toHaveLength(1);
  });

  test("show neither token nor SDP nor numbers when the answer echoes them", async () => {
    const details = `bad request of 15550001111 with ${TOKEN}: ${SDP}`;
    const { client } = await createRig([
      json(400, graphError(100, details, { fbtrace_id: "t".repeat(500) })),
    ]);
    const error = await failureOf(client.connect(DIAL));
    expectNoSecrets(error);
    expect(error.message).toContain("[number]");
    expect(error).toMatchObject({ details: { graphDetails: "bad request of [number] with [token]:" } });
  });

  test("keep the time that the details name, for it is what one needs to know", async () => {
    const details = "Limit of +1 (555) 000-1111 reached, next call after 2026-11-23 10:30:00 (1795429800)";
    const { client } = await createRig([json(400, graphError(138012, details))]);
    const said = "Limit of [number] reached, next call after 2026-11-23 10:30:00 (1795429800)";
    expect(await failureOf(client.connect(DIAL))).toMatchObject({
      message: expect.stringContaining(said),
      details: { graphDetails: said },
    });
  });

  test.each([
    "Call is already terminated",
    "This call already ended.",
    "User already terminated the call",
    "The call is no longer active",
  ])("of ending a call that is over are no error: %s", async (details) => {
    const { client } = await createRig([json(400, graphError(100, details))]);
    expect(await client.terminate(CALL)).toEqual({ alreadyEnded: true });
    expect(await client.reject(CALL)).toEqual({ alreadyEnded: true });
    await failureOf(client.accept({ ...CALL, sdp: SDP }));
  });

  test.each(["Call is not ringing", "Unknown call id", "Call is already accepted"])(
    "of ending for another reason stay errors: %s",
    async (details) => {
      const { client } = await createRig([json(400, graphError(100, details))]);
      await failureOf(client.terminate(CALL));
    },
  );
});

describe("answers that are none", () => {
  test.each<[string, Reply]>([
    ["HTML", text(200, "<html>Sign in to the hotel's network</html>")],
    ["an empty body", text(200, "")],
    ["an array", json(200, [])],
    ["null", json(200, null)],
    ["success: false", json(200, { success: false })],
    ["a redirect", text(302, "")],
    ["a proxy's refusal", text(403, `no ${TOKEN}`)],
    ["a body without end", text(200, `{"success":true,"x":"${"x".repeat(70_000)}"}`)],
  ])("are told as such: %s", async (_, reply) => {
    const { client, seen, attempts } = await createRig([reply]);
    const error = await failureOf(client.preAccept({ ...CALL, sdp: SDP }));
    expect(error).toMatchObject({
      code: "GRAPH_UNREACHABLE",
      retryable: false,
      details: { reason: "bad-response", attempts: 1 },
    });
    expect(attempts).toMatchObject([{ outcome: "bad-response" }]);
    expect(seen).toHaveLength(1);
    expectNoSecrets(error);
  });

  test("include a dial without a call id, which is not repeated", async () => {
    const { client, seen } = await createRig([json(200, { success: true, calls: [{}] })]);
    const error = await failureOf(client.connect(DIAL));
    expect(error).toMatchObject({ code: "GRAPH_UNREACHABLE", details: { reason: "bad-response" } });
    expect(seen).toHaveLength(1);
  });

  test("include a body that breaks off", async () => {
    const { client } = await createRig([
      (response) => {
        response.writeHead(200, { "content-length": "1000" });
        response.write('{"success":', () => response.destroy());
      },
    ]);
    const error = await failureOf(client.terminate(CALL));
    expect(error).toMatchObject({ code: "GRAPH_UNREACHABLE", details: { reason: "network", attempts: 3 } });
  });
});

describe("the client", () => {
  test.each<[string, Partial<GraphClientOptions>]>([
    ["token", { token: "" }],
    ["token", { token: "secret\nheader: x" }],
    ["apiVersion", { apiVersion: "26.0" }],
    ["apiVersion", { apiVersion: "v26.0/../x" }],
    ["baseUrl", { baseUrl: "graph.facebook.com" }],
    ["baseUrl", { baseUrl: "http://graph.facebook.com" }],
    ["baseUrl", { baseUrl: "http://127.0.0.1.example.com" }],
    ["baseUrl", { baseUrl: "ftp://127.0.0.1" }],
    ["baseUrl", { baseUrl: "https://user:secret@graph.facebook.com" }],
    ["baseUrl", { baseUrl: "https://graph.facebook.com/?a=secret" }],
    ["baseUrl", { baseUrl: "https://graph.facebook.com/v25.0/" }],
    ["timeoutMs", { timeoutMs: 0 }],
    ["retry.attempts", { retry: { attempts: 0 } }],
    ["retry.baseDelayMs", { retry: { baseDelayMs: Number.NaN } }],
    ["retry.maxDelayMs", { retry: { maxDelayMs: -1 } }],
  ])("refuses a bad %s: %j", (option, options) => {
    const create = (): unknown => createGraphClient({ token: TOKEN, ...options });
    expect(create).toThrow(expect.objectContaining({ code: "OPTION_INVALID", details: { option } }));
    expect(create).not.toThrow(/secret/);
  });

  test.each(["http://localhost:1", "http://127.9.9.9:1", "http://[::1]:1", "https://example.com/graph"])(
    "takes the base URL %s",
    async (baseUrl) => {
      const client = createGraphClient({ token: TOKEN, baseUrl });
      await client.close();
      await client.close();
    },
  );

  test("refuses requests after close, without repeats", async () => {
    const { client, seen, delaysMs } = await createRig([ok]);
    await client.close();
    const error = await failureOf(client.terminate(CALL));
    expect(isRingbackError(error, "GRAPH_UNREACHABLE")).toBe(true);
    expect(error.retryable).toBe(false);
    expect([seen.length, delaysMs.length]).toEqual([0, 0]);
  });

  test("lets a request under way finish before it closes", async () => {
    const asked = new EventEmitter<{ request: [answer: () => void] }>();
    const { client } = await createRig([
      (response, request) => void asked.emit("request", () => ok(response, request)),
    ]);
    const isAsked = once(asked, "request");
    const ending = client.terminate(CALL);
    const [answer] = await isAsked;
    const closed = client.close();
    answer();
    expect(await ending).toEqual({ alreadyEnded: false });
    await closed;
  });

  test("is not disturbed by an observer that throws", async () => {
    const { client } = await createRig([ok], {
      onAttempt: () => {
        throw new Error("observer");
      },
    });
    await client.terminate(CALL);
  });
});
