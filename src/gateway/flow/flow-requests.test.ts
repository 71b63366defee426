import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { createRequestPolicy, type RequestOptions } from "../../platform/outgoing-request.ts";
import { createStepFetcher } from "./fetch-steps.ts";
import type { FlowEvent } from "./flow-options.ts";
import { postRecording } from "./post-recording.ts";

const EVENT: FlowEvent = {
  version: 1,
  call: {
    id: "wacid.x",
    phoneNumberId: "1",
    caller: { phoneNumber: null, userId: null, parentUserId: null, name: null, username: null },
  },
  step: null,
  tags: {},
};

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

type Listener = (...given: Parameters<RequestListener>) => unknown;

/** A server that is somebody else's. */
async function serve(listener: Listener): Promise<string> {
  const server = createServer((request, response) => void listener(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUps.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const policy = (options: RequestOptions = {}) =>
  createRequestPolicy({ allowHttp: true, allowedHosts: ["127.0.0.1"], ...options });
const noSignal = new AbortController().signal;

describe("asking a server for steps", () => {
  test("posts the event as JSON, and takes JSON", async () => {
    let seen: unknown;
    const url = await serve(async (request, response) => {
      seen = [
        request.method,
        request.headers["content-type"],
        JSON.parse((await bodyOf(request)).toString()),
      ];
      response.setHeader("content-type", "application/json; charset=utf-8").end("[]");
    });
    expect(await createStepFetcher(policy())(url, EVENT, noSignal)).toBe("[]");
    expect(seen).toEqual(["POST", "application/json", EVENT]);
  });

  test.each<[string, Listener, string]>([
    ["a status of 500", (_, response) => void response.writeHead(500).end(), "answered with status 500"],
    [
      "HTML",
      (_, response) => void response.setHeader("content-type", "text/html").end("<p>"),
      "sent another type than application/json",
    ],
    [
      "ten megabytes",
      (_, response) => void response.end("[".repeat(10_000_000)),
      "sent more than 262144 bytes",
    ],
    ["no answer", () => {}, "did not finish its answer within 300 ms"],
    [
      "half an answer",
      (_, response) => void response.writeHead(200, { "content-length": "100" }).write("["),
      "did not finish its answer",
    ],
    ["a closed connection", (request) => void request.socket.destroy(), "was not reached, or broke off"],
  ])("%s is an error that says so", async (_, listener, message) => {
    const url = await serve(listener);
    // On a busy machine, the others take their time as well.
    const timeoutMs = message.includes("did not finish") ? 300 : 10_000;
    await expect(createStepFetcher(policy({ timeoutMs }))(url, EVENT, noSignal)).rejects.toThrow(message);
  });

  test("private addresses are not asked without permission", async () => {
    const strict = createStepFetcher(createRequestPolicy({ allowHttp: true }));
    await expect(strict("http://127.0.0.1:9/", EVENT, noSignal)).rejects.toMatchObject({
      code: "REQUEST_REFUSED",
    });
  });
});

describe("posting a recording", () => {
  function recordedFile(name: string, bytes: Uint8Array) {
    const folder = mkdtempSync(join(tmpdir(), "ringback-post-"));
    cleanUps.push(() => rmSync(folder, { recursive: true }));
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return { path, channel: "caller" as const, bytes: bytes.length, sha256: "" };
  }

  test("has the event and the files as a form", async () => {
    const audio = Uint8Array.from({ length: 3_000 }, (_, i) => i % 256);
    let form: FormData | null = null;
    const url = await serve(async (request, response) => {
      const headers = { "content-type": request.headers["content-type"] ?? "" };
      form = await new Response(new Uint8Array(await bodyOf(request)), { headers }).formData();
      response.end();
    });
    await postRecording(
      { url, event: EVENT, files: [recordedFile("message.opus", audio)] },
      policy(),
      async () => {},
    );
    const parts = form as FormData | null;
    const event = parts?.get("event");
    expect(JSON.parse(typeof event === "string" ? event : await (event as File).text())).toEqual(EVENT);
    const file = parts?.get("file") as File;
    expect([file.name, file.type]).toEqual(["message.opus", "audio/ogg"]);
    expect(new Uint8Array(await file.arrayBuffer())).toEqual(audio);
  });

  test("a file that is too large for it stays on the disk", async () => {
    let bytes = 0;
    const url = await serve(async (request, response) => {
      bytes = (await bodyOf(request)).length;
      response.end();
    });
    await postRecording(
      { url, event: EVENT, files: [recordedFile("a.wav", new Uint8Array(33 * 1024 * 1024))] },
      policy(),
      async () => {},
    );
    expect(bytes).toBeLessThan(1_000);
  });

  test("is tried three times where that may help, and once where it does not", async () => {
    const waits: number[] = [];
    const wait = async (ms: number): Promise<void> => void waits.push(ms);
    let requests = 0;
    const url = await serve((request, response) => {
      requests += 1;
      request.resume();
      response.writeHead(request.url === "/gone" ? 404 : 503).end();
    });
    await expect(postRecording({ url, event: EVENT, files: [] }, policy(), wait)).rejects.toThrow(
      "status 503",
    );
    expect([requests, waits]).toEqual([3, [1_000, 4_000]]);
    await expect(
      postRecording({ url: `${url}gone`, event: EVENT, files: [] }, policy(), wait),
    ).rejects.toThrow("status 404");
    expect(requests).toBe(4);
  });
});
