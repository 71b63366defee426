import { once } from "node:events";
import { createServer } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { inspect } from "node:util";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { type Handler, type HttpRig, startHttpRig } from "../../test/support/http-rig.ts";
import {
  createRequestPolicy,
  guardedRequest,
  type OutgoingRequest,
  type RequestOptions,
} from "./outgoing-request.ts";

const MIB = 1024 * 1024;
const SECRET = "hidden-in-the-query";

/** What a request to the rig does, under a policy that lets the rig pass. */
async function visit(
  rig: HttpRig,
  request: Omit<OutgoingRequest, "url"> & { readonly path?: string } = {},
  options: RequestOptions = {},
): ReturnType<typeof guardedRequest> {
  const { path = "/", ...rest } = request;
  const policy = createRequestPolicy({ allowHttp: true, allowedHosts: [rig.host], ...options });
  return guardedRequest({ url: `${rig.url}${path}?key=${SECRET}`, ...rest }, policy);
}

async function failureOf(work: Promise<unknown>): Promise<Error> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("It was to fail.");
}

const ok: Handler = (_, response) => response.end("fine");

describe("a request", () => {
  test("gives the answer's bytes, type and address", async () => {
    const rig = await startHttpRig((_, response) => {
      response.setHeader("content-type", "Application/JSON; charset=utf-8").end("{}");
    });
    const answer = await visit(rig, { path: "/flow", headers: { "X-Key": "1" } });
    expect(answer).toEqual({
      url: `${rig.url}/flow?key=${SECRET}`,
      status: 200,
      contentType: "application/json",
      bytes: new Uint8Array(Buffer.from("{}")),
    });
    expect(rig.seen).toMatchObject([
      {
        method: "GET",
        headers: { host: rig.host, "accept-encoding": "identity", "user-agent": "ringback", "x-key": "1" },
      },
    ]);
  });

  test("posts a body", async () => {
    const rig = await startHttpRig(ok);
    const headers = { "content-type": "text/plain", "user-agent": "mine" };
    await visit(rig, { body: "grüße", headers, accept: ["audio/*", "text/plain"] });
    expect(rig.seen).toMatchObject([
      { method: "POST", body: "grüße", headers: { ...headers, accept: "audio/*, text/plain" } },
    ]);
  });

  test("goes to a name's address, with the name as its host", async () => {
    const rig = await startHttpRig(ok);
    const policy = createRequestPolicy({
      allowHttp: true,
      allowedHosts: ["ivr.example"],
      resolve: async () => ["127.0.0.1"],
    });
    await guardedRequest({ url: `http://ivr.example.:${rig.port}/` }, policy);
    expect(rig.seen[0]?.headers.host).toBe(`ivr.example:${rig.port}`);
  });

  test("tries the next address when one does not answer", async () => {
    const rig = await startHttpRig(ok);
    // The rig listens on IPv4 alone.
    const resolve = async (): Promise<string[]> => ["::1", "127.0.0.1"];
    const answer = await visit(
      { ...rig, url: `http://ivr.example:${rig.port}` },
      {},
      { allowedHosts: ["ivr.example"], resolve },
    );
    expect(answer.status).toBe(200);
  });

  test.each<[string, Partial<OutgoingRequest>]>([
    ["host", { headers: { Host: "a.example" } }],
    ["transfer-encoding", { headers: { "Transfer-Encoding": "chunked" } }],
    ["a line end in a value", { headers: { "x-key": "1\r\nhost: a.example" } }],
    ["a space in a name", { headers: { "x key": "1" } }],
  ])("is not sent with a header of %s", async (_, request) => {
    const rig = await startHttpRig(ok);
    await expect(visit(rig, request)).rejects.toMatchObject({ code: "OPTION_INVALID" });
    expect(rig.seen).toEqual([]);
  });

  test("ends when its signal aborts, with the signal's reason", async () => {
    const ending = new AbortController();
    const reason = new Error("hung up");
    const rig = await startHttpRig(() => ending.abort(reason));
    await expect(visit(rig, { signal: ending.signal })).rejects.toBe(reason);
    await expect(visit(rig, { signal: ending.signal })).rejects.toBe(reason);
    expect(rig.seen).toHaveLength(1);
  });

  test("ends when its signal aborts during the body", async () => {
    const ending = new AbortController();
    const rig = await startHttpRig((_, response) => {
      response.write("a");
      setImmediate(() => ending.abort(new Error("hung up")));
    });
    await expect(visit(rig, { signal: ending.signal })).rejects.toThrow("hung up");
  });
});

describe("what is refused is never connected to", () => {
  test.each([
    "http://127.0.0.1",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://0251.0376.0251.0376/",
    "http://[::ffff:169.254.169.254]/",
    "http://[64:ff9b::169.254.169.254]/",
    "http://[2002:a9fe:a9fe::]/",
    "http://[::1]/",
    "http://[::]/",
    "http://0/",
    "http://10.0.0.1/",
    "http://localhost/",
    "http://a.localhost./",
  ])("%s", async (url) => {
    const policy = createRequestPolicy({ allowHttp: true, resolve: async () => ["8.8.8.8"] });
    const error = await failureOf(guardedRequest({ url }, policy));
    expect(error).toMatchObject({
      code: "REQUEST_REFUSED",
      details: { reason: "address" },
      retryable: false,
    });
    expect(error.message).toContain("REQUESTS_ALLOW");
  });

  test.each([
    ["plain-http", "http://a.example/"],
    ["credentials", `https://user:${SECRET}@a.example/`],
    ["scheme", "ftp://a.example/"],
    ["url", "a.example"],
    ["port", "https://a.example:0"],
  ])("%s: %s", async (reason, url) => {
    const error = await failureOf(guardedRequest({ url }, createRequestPolicy()));
    expect(error).toMatchObject({ code: "REQUEST_REFUSED", details: { reason } });
    expect(error.message).not.toContain(SECRET);
  });

  test.each([
    ["the metadata", ["169.254.169.254"]],
    ["this machine", ["127.0.0.1"]],
    ["the metadata by DNS64", ["64:ff9b::a9fe:a9fe"]],
    ["a public and a private address", ["8.8.8.8", "10.0.0.1"]],
    ["a private and a public address", ["fd00::1", "2606:4700::1"]],
    ["what is no address", ["fe80::1%eth0"]],
  ])("a name that stands for %s", async (_, addresses) => {
    const policy = createRequestPolicy({ resolve: async () => addresses });
    const error = await failureOf(guardedRequest({ url: `https://a.example/?${SECRET}` }, policy));
    expect(error).toMatchObject({ code: "REQUEST_REFUSED", details: { reason: "address" } });
    expect(error.message).not.toContain(SECRET);
  });

  test("what is not listed, where nothing else is allowed", async () => {
    const resolve = async (): Promise<string[]> => ["8.8.8.8"];
    const policy = createRequestPolicy({ allowedHosts: ["b.example"], onlyAllowedHosts: true, resolve });
    const error = await failureOf(guardedRequest({ url: "https://a.example/" }, policy));
    expect(error).toMatchObject({ code: "REQUEST_REFUSED", details: { reason: "not-listed" } });
  });

  test("an allowed address on another port", async () => {
    const rig = await startHttpRig(ok);
    const other = await startHttpRig(ok);
    await expect(visit(rig, {}, { allowedHosts: [other.host] })).rejects.toMatchObject({
      code: "REQUEST_REFUSED",
    });
    expect(rig.seen).toEqual([]);
  });
});

describe("a name whose address changes between two answers", () => {
  test("is connected to at the one that was judged, and resolved once", async () => {
    const rig = await startHttpRig(ok);
    const other = createServer((socket) => socket.destroy());
    let asked = 0;
    const resolve = async (): Promise<string[]> => {
      asked += 1;
      return asked === 1 ? ["127.0.0.1"] : ["169.254.169.254"];
    };
    const policy = createRequestPolicy({ allowHttp: true, allowedHosts: [rig.host], resolve });
    const url = `http://rebound.example:${rig.port}/`;
    expect((await guardedRequest({ url }, policy)).status).toBe(200);
    expect(asked).toBe(1);
    await expect(guardedRequest({ url }, policy)).rejects.toMatchObject({ code: "REQUEST_REFUSED" });
    expect(asked).toBe(2);
    other.close();
  });

  test("is judged anew when a redirect leads to it again", async () => {
    const rig = await startHttpRig((_, response) => response.writeHead(302, { location: "/again" }).end());
    const answers = [["127.0.0.1"], ["127.0.0.2"]];
    const policy = createRequestPolicy({
      allowHttp: true,
      allowedHosts: [rig.host],
      resolve: async () => answers.shift() ?? [],
    });
    const url = `http://rebound.example:${rig.port}/`;
    await expect(guardedRequest({ url }, policy)).rejects.toMatchObject({ code: "REQUEST_REFUSED" });
    expect(rig.seen).toHaveLength(1);
  });
});

describe("a redirect", () => {
  test("is followed, relative ones too, and tells where it ended", async () => {
    const rig = await startHttpRig((request, response) => {
      if (request.url.startsWith("/a/end")) response.end("fine");
      else if (request.url.startsWith("/a/")) response.writeHead(307, { location: "end?x=1" }).end("ignored");
      else response.writeHead(301, { location: "/a/middle" }).end("ignored");
    });
    const answer = await visit(rig, { body: "{}", headers: { authorization: "Bearer x" } });
    expect(answer.url).toBe(`${rig.url}/a/end?x=1`);
    expect(rig.seen.map(({ method, body, headers }) => [method, body, headers.authorization])).toEqual([
      ["POST", "{}", "Bearer x"],
      ["GET", "", "Bearer x"],
      ["GET", "", "Bearer x"],
    ]);
  });

  test("to another origin loses the keys, and does not get them back", async () => {
    const rig = await startHttpRig((request, response) => {
      if (request.url === "/end") response.end("fine");
      else response.writeHead(308, { location: `${other.url}/` }).end();
    });
    const other = await startHttpRig((_, response) => {
      response.writeHead(308, { location: `${rig.url}/end` }).end();
    });
    const headers = {
      authorization: "Bearer x",
      cookie: "a=b",
      "x-api-key": "x",
      "content-type": "text/plain",
    };
    await visit(rig, { body: "text", headers }, { allowedHosts: [rig.host, other.host] });
    const [first, second, third] = [rig.seen[0], other.seen[0], rig.seen[1]];
    expect(first).toMatchObject({ method: "POST", headers });
    for (const request of [second, third]) {
      expect(request).toMatchObject({
        method: "POST",
        body: "text",
        headers: { "content-type": "text/plain" },
      });
      expect(request?.headers).not.toHaveProperty("authorization");
      expect(request?.headers).not.toHaveProperty("cookie");
      expect(request?.headers).not.toHaveProperty("x-api-key");
    }
  });

  test.each([
    ["http://169.254.169.254/latest", "address"],
    ["http://2852039166/", "address"],
    ["//[::ffff:a9fe:a9fe]/", "address"],
    ["http://localhost/", "address"],
    ["http://metadata.example/", "address"],
    ["https://user:password@a.example/", "credentials"],
    ["file:///etc/passwd", "scheme"],
    ["gopher://a.example/", "scheme"],
  ])("to %s is refused", async (location, reason) => {
    const rig = await startHttpRig((_, response) => response.writeHead(302, { location }).end());
    const error = await failureOf(visit(rig, {}, { resolve: async () => ["169.254.169.254"] }));
    expect(error).toMatchObject({ code: "REQUEST_REFUSED", details: { reason } });
  });

  test("through an allowed origin into a forbidden address is refused at that hop", async () => {
    const second = await startHttpRig((_, response) => {
      response.writeHead(302, { location: "http://127.0.0.3:1/" }).end();
    });
    const first = await startHttpRig((_, response) =>
      response.writeHead(302, { location: second.url }).end(),
    );
    const error = await failureOf(visit(first, {}, { allowedHosts: [first.host, second.host] }));
    expect(error).toMatchObject({ code: "REQUEST_REFUSED", details: { reason: "address" } });
    expect(second.seen).toHaveLength(1);
  });

  test("in a circle ends", async () => {
    const rig = await startHttpRig((_, response) => response.writeHead(302, { location: "/" }).end());
    const error = await failureOf(visit(rig));
    expect(error).toMatchObject({
      code: "REQUEST_FAILED",
      details: { reason: "too-many-redirects", status: 302 },
      retryable: false,
    });
    expect(rig.seen).toHaveLength(4);
    await expect(visit(rig, {}, { maxRedirects: 0 })).rejects.toMatchObject({ code: "REQUEST_FAILED" });
    expect(rig.seen).toHaveLength(5);
  });

  test.each([{}, { location: "http://" }])("to nowhere is no answer: %j", async (headers) => {
    const rig = await startHttpRig((_, response) => response.writeHead(302, headers).end());
    await expect(visit(rig)).rejects.toMatchObject({ details: { reason: "bad-response", status: 302 } });
  });
});

describe("an answer is not taken", () => {
  test.each([
    [500, true],
    [404, false],
    [429, true],
    [304, false],
  ])("with status %d", async (status, retryable) => {
    const rig = await startHttpRig((_, response) => response.writeHead(status).end("a long story"));
    const error = await failureOf(visit(rig));
    expect(error).toMatchObject({ code: "REQUEST_FAILED", details: { reason: "status", status }, retryable });
    expect(inspect(error)).not.toContain(SECRET);
    expect(inspect(error)).not.toContain("story");
  });

  test("of another type than asked for, as a page of HTML in place of JSON", async () => {
    const rig = await startHttpRig((_, response) => {
      response.setHeader("content-type", "text/html; charset=utf-8").end("<html>");
    });
    const error = await failureOf(visit(rig, { accept: ["application/json", "audio/*"] }));
    expect(error).toMatchObject({
      code: "REQUEST_FAILED",
      details: { reason: "bad-response", status: null },
    });
    await expect(visit(rig, { accept: ["text/*"] })).resolves.toMatchObject({ contentType: "text/html" });
  });

  test("of more than the allowed size, announced or not", async () => {
    let sentBytes = 0;
    const rig = await startHttpRig((request, response) => {
      sentBytes = 0;
      if (request.url.startsWith("/announced")) response.setHeader("content-length", 100 * MIB);
      const chunks = function* (): Generator<Buffer> {
        for (; sentBytes < 100 * MIB; sentBytes += 65_536) yield Buffer.alloc(65_536);
      };
      pipeline(Readable.from(chunks()), response).catch(() => {});
    });
    for (const path of ["/announced", "/endless"]) {
      const error = await failureOf(visit(rig, { path, maxBytes: MIB }));
      expect(error).toMatchObject({
        code: "REQUEST_FAILED",
        details: { reason: "too-large" },
        retryable: false,
      });
    }
    // What the kernel's buffers take, and no more.
    expect(sentBytes).toBeLessThan(50 * MIB);
  });

  test("of 10 MiB is taken where it may have as much", async () => {
    const rig = await startHttpRig((_, response) => response.end(Buffer.alloc(10 * MIB, 7)));
    const { bytes } = await visit(rig, {}, { maxBytes: 10 * MIB });
    expect(bytes).toHaveLength(10 * MIB);
    expect(bytes.at(-1)).toBe(7);
    // A request may ask for less than the policy gives, not for more.
    await expect(visit(rig, { maxBytes: 20 * MIB }, { maxBytes: MIB })).rejects.toMatchObject({
      details: { reason: "too-large" },
    });
  });

  test("that is compressed, although nobody asked for it", async () => {
    const rig = await startHttpRig((_, response) => {
      response.setHeader("content-encoding", "gzip").end(gzipSync(Buffer.alloc(10 * MIB)));
    });
    await expect(visit(rig)).rejects.toMatchObject({ details: { reason: "bad-response" } });
  });

  test("that is shorter than announced", async () => {
    const rig = await startHttpRig((_, response) => {
      response.setHeader("content-length", 100);
      response.write("short", () => response.destroy());
    });
    await expect(visit(rig)).rejects.toMatchObject({ code: "REQUEST_FAILED" });
  });

  test("that is no HTTP", async () => {
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.on("data", () => socket.end("220 mail.example ESMTP\r\n"));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const policy = createRequestPolicy({ allowHttp: true, allowedHosts: ["127.0.0.1"] });
    await expect(guardedRequest({ url: `http://127.0.0.1:${port}/` }, policy)).rejects.toMatchObject({
      code: "REQUEST_FAILED",
      details: { reason: "bad-response" },
    });
    server.close();
  });
});

describe("the time of a request ends", () => {
  const TIMEOUT = { code: "REQUEST_FAILED", details: { reason: "timeout" }, retryable: true };

  test("when nothing answers", async () => {
    const rig = await startHttpRig(() => {});
    const error = await failureOf(visit(rig, { timeoutMs: 100 }));
    expect(error).toMatchObject(TIMEOUT);
    expect(error.message).toContain("100 ms");
    expect(error.message).not.toContain(SECRET);
  });

  test("when a body comes drop by drop", async () => {
    let drops = 0;
    const rig = await startHttpRig((_, response) => {
      const timer = setInterval(() => {
        drops += 1;
        response.write("a");
      }, 10);
      response.on("close", () => clearInterval(timer));
    });
    await expect(visit(rig, { timeoutMs: 1_000 })).rejects.toMatchObject(TIMEOUT);
    expect(drops).toBeGreaterThan(1);
  });

  test("when a name is never resolved", async () => {
    const resolve = (): Promise<string[]> => new Promise(() => {});
    const policy = createRequestPolicy({ timeoutMs: 50, resolve });
    await expect(guardedRequest({ url: "https://a.example" }, policy)).rejects.toMatchObject(TIMEOUT);
  });

  test("when a TLS server says nothing, and the connection is given up", async () => {
    const server = createServer((socket) => socket.on("error", () => {}).resume());
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const connected = once(server, "connection");
    const policy = createRequestPolicy({ timeoutMs: 200, allowedHosts: ["127.0.0.1"] });
    await expect(guardedRequest({ url: `https://127.0.0.1:${port}` }, policy)).rejects.toMatchObject(TIMEOUT);
    const [socket] = await connected;
    if (!socket.destroyed) await once(socket, "close");
    server.close();
  });
});

describe("the network", () => {
  test("that has nobody there is told", async () => {
    const rig = await startHttpRig((_, __, incoming) => incoming.socket.destroy());
    await expect(visit(rig)).rejects.toMatchObject({ details: { reason: "network" }, retryable: true });
    const policy = createRequestPolicy({ allowHttp: true, allowedHosts: ["127.0.0.1"] });
    const error = await failureOf(guardedRequest({ url: "http://127.0.0.1:1/" }, policy));
    expect(error).toMatchObject({ code: "REQUEST_FAILED", details: { reason: "network" } });
    expect(error.message).toContain("ECONNREFUSED");
  });

  test.each<[string, () => Promise<string[]>]>([
    ["has no address", async () => []],
    ["is unknown", () => Promise.reject(Object.assign(new Error("x"), { code: "ENOTFOUND" }))],
  ])("whose name %s is told", async (_, resolve) => {
    const policy = createRequestPolicy({ resolve });
    await expect(guardedRequest({ url: "https://a.example/" }, policy)).rejects.toMatchObject({
      code: "REQUEST_FAILED",
      details: { reason: "network" },
    });
  });

  test("is left alone afterwards: no connection stays open", async () => {
    const sockets: { destroyed: boolean }[] = [];
    const closes: Promise<unknown>[] = [];
    const rig = await startHttpRig((_, response, incoming) => {
      sockets.push(incoming.socket);
      closes.push(once(incoming.socket, "close"));
      response.end("fine");
    });
    await visit(rig);
    await Promise.all(closes);
    expect(sockets).toHaveLength(1);
  });
});

describe("a policy", () => {
  test.each<[string, RequestOptions]>([
    ["requests.allowedHosts", { allowedHosts: ["https://a.example"] }],
    ["requests.allowedHosts", { allowedHosts: Array.from({ length: 1_001 }, () => "a.example") }],
    ["requests.timeoutMs", { timeoutMs: 0 }],
    ["requests.maxBytes", { maxBytes: Number.POSITIVE_INFINITY }],
    ["requests.maxRedirects", { maxRedirects: -1 }],
  ])("with a bad %s is refused", (option, options) => {
    expect(() => createRequestPolicy(options)).toThrow(
      expect.objectContaining({ code: "OPTION_INVALID", details: { option } }),
    );
  });
});
