import { once } from "node:events";
import { createServer } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { type Handler, type HttpRig, startHttpRig } from "../../test/support/http-rig.ts";
import { type PostRequest, RequestPool, type RequestPoolOptions } from "./outgoing-pool.ts";
import { createRequestPolicy, type RequestOptions } from "./outgoing-request.ts";

const MIB = 1024 * 1024;
const ok: Handler = (_, response) => response.end("fine");

function poolFor(
  rig: Pick<HttpRig, "host">,
  options: RequestOptions & Omit<RequestPoolOptions, "policy"> = {},
): RequestPool {
  const policy = createRequestPolicy({ allowHttp: true, allowedHosts: [rig.host], ...options });
  return new RequestPool({ policy, ...options });
}

function request(rig: Pick<HttpRig, "url">, change: Partial<PostRequest> = {}): PostRequest {
  return { url: `${rig.url}/hook`, headers: { "x-key": "1" }, body: "{}", ...change };
}

/** A rig that counts its connections. */
async function startCountingRig(handler: Handler): Promise<HttpRig & { readonly sockets: Set<object> }> {
  const sockets = new Set<object>();
  const rig = await startHttpRig((seen, response, incoming) => {
    sockets.add(incoming.socket);
    handler(seen, response, incoming);
  });
  return { ...rig, sockets };
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await nextTurn();
}

describe("a connection", () => {
  test("carries one request after the other", async () => {
    const rig = await startCountingRig(ok);
    const pool = poolFor(rig);
    for (let i = 0; i < 5; i += 1) expect((await pool.post(request(rig))).status).toBe(200);
    expect(rig.sockets.size).toBe(1);
    expect(rig.seen[4]).toMatchObject({
      method: "POST",
      url: "/hook",
      body: "{}",
      headers: { "x-key": "1" },
    });
    pool.closeIdle();
    expect(pool.connections).toBe(0);
  });

  test("is opened for each request at the same time, and no more are kept than said", async () => {
    const rig = await startCountingRig(ok);
    const pool = poolFor(rig, { maxIdle: 2 });
    await Promise.all(Array.from({ length: 5 }, () => pool.post(request(rig))));
    expect([rig.sockets.size, pool.connections]).toEqual([5, 2]);
    pool.closeIdle();
  });

  test("that the server closes is forgotten", async () => {
    const rig = await startCountingRig((_, response) => response.setHeader("connection", "close").end());
    const pool = poolFor(rig);
    await pool.post(request(rig));
    await until(() => pool.connections === 0);
    await pool.post(request(rig));
    expect(rig.sockets.size).toBe(2);
    pool.closeIdle();
  });

  test("that the server closes with its answer never fails the next request, however soon that comes", async () => {
    const rig = await startCountingRig((_, response) => response.setHeader("connection", "close").end());
    const pool = poolFor(rig);
    const postMany = async (): Promise<void> => {
      for (let i = 0; i < 30; i += 1) expect((await pool.post(request(rig))).status).toBe(200);
    };
    await Promise.all([postMany(), postMany(), postMany()]);
    expect([rig.sockets.size, rig.seen.length]).toEqual([90, 90]);
    pool.closeIdle();
  });

  test("that breaks off just as it is used again is made anew, and the request is sent once more", async () => {
    let requests = 0;
    const rig = await startCountingRig((_, response, incoming) => {
      requests += 1;
      if (requests === 2) incoming.socket.destroy();
      else response.end();
    });
    const pool = poolFor(rig);
    await pool.post(request(rig));
    expect((await pool.post(request(rig))).status).toBe(200);
    expect([requests, rig.sockets.size]).toEqual([3, 2]);
    pool.closeIdle();
  });

  test("that breaks off when it is new is a failure", async () => {
    const rig = await startCountingRig((_, __, incoming) => incoming.socket.destroy());
    const pool = poolFor(rig);
    const failure = { code: "REQUEST_FAILED", details: { reason: "network" }, retryable: true };
    await expect(pool.post(request(rig))).rejects.toMatchObject(failure);
    expect([rig.sockets.size, pool.connections]).toEqual([1, 0]);
  });

  test("to an address that the name has no more is not used again", async () => {
    const rig = await startCountingRig(ok);
    const answers = [["127.0.0.1"], ["127.0.0.1"], ["127.0.0.2"], ["169.254.169.254"]];
    const resolve = async (): Promise<string[]> => answers.shift() ?? [];
    const pool = poolFor(rig, {
      allowedHosts: [rig.host, `127.0.0.2:${rig.port}`],
      resolve,
      timeoutMs: 2_000,
    });
    const named = request({ url: `http://rebound.example:${rig.port}` });
    await pool.post(named);
    await pool.post(named);
    expect([rig.sockets.size, pool.connections]).toEqual([1, 1]);
    // Nobody listens there.
    await expect(pool.post(named)).rejects.toMatchObject({ code: "REQUEST_FAILED" });
    expect(pool.connections).toBe(0);
    await expect(pool.post(named)).rejects.toMatchObject({ code: "REQUEST_REFUSED" });
    expect(rig.seen).toHaveLength(2);
  });

  test("is not used for another origin", async () => {
    const rigs = [await startCountingRig(ok), await startCountingRig(ok)] as const;
    const pool = poolFor(rigs[0], { allowedHosts: rigs.map(({ host }) => host) });
    for (const rig of rigs) await pool.post(request(rig));
    expect(rigs.map(({ sockets, seen }) => [sockets.size, seen.length])).toEqual([
      [1, 1],
      [1, 1],
    ]);
    expect(pool.connections).toBe(1);
    pool.closeIdle();
  });
});

describe("an answer", () => {
  test.each([204, 301, 307, 404, 410, 500])(
    "of status %i is given as it is, and not followed",
    async (status) => {
      const rig = await startHttpRig((_, response) =>
        response.writeHead(status, { location: "/other" }).end(),
      );
      const pool = poolFor(rig);
      expect(await pool.post(request(rig))).toEqual({ status, retryAfter: null });
      expect(rig.seen).toHaveLength(1);
      pool.closeIdle();
    },
  );

  test("tells when to come back", async () => {
    const rig = await startHttpRig((_, response) => response.writeHead(429, { "retry-after": "120" }).end());
    const pool = poolFor(rig);
    expect(await pool.post(request(rig))).toEqual({ status: 429, retryAfter: "120" });
    pool.closeIdle();
  });

  test.each([
    ["announced", { "content-length": String(10 * MIB) }],
    ["not announced", {}],
  ])("of 10 MiB, %s, is not read, and its connection is closed", async (_, headers) => {
    let sentBytes = 0;
    const rig = await startCountingRig((__, response) => {
      response.writeHead(200, headers);
      const send = (): void => {
        if (response.destroyed || sentBytes >= 10 * MIB) return void response.end();
        sentBytes += 65_536;
        response.write(Buffer.alloc(65_536), send);
      };
      send();
    });
    const pool = poolFor(rig);
    expect((await pool.post(request(rig))).status).toBe(200);
    await until(() => pool.connections === 0);
    expect(sentBytes).toBeLessThan(10 * MIB);
    await pool.post(request(rig));
    expect(rig.sockets.size).toBe(2);
  });

  test("whose body never ends, or breaks off, counts by its status", async () => {
    const rig = await startHttpRig((seen, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("a", () => {
        if (seen.url === "/breaks-off") response.destroy();
      });
    });
    const pool = poolFor(rig, { timeoutMs: 500 });
    for (const path of ["/never-ends", "/breaks-off"]) {
      expect((await pool.post(request({ url: rig.url }, { url: rig.url + path }))).status).toBe(200);
    }
    expect(pool.connections).toBe(0);
  });
});

describe("a request fails", () => {
  test("when nothing answers in its time, and the connection is given up", async () => {
    const rig = await startHttpRig(() => {});
    const pool = poolFor(rig);
    const timeout = { code: "REQUEST_FAILED", details: { reason: "timeout" }, retryable: true };
    await expect(pool.post(request(rig, { timeoutMs: 50 }))).rejects.toMatchObject(timeout);
    expect(pool.connections).toBe(0);
  });

  test("when TLS never comes up, and the socket is closed", async () => {
    const server = createServer((socket) => socket.on("error", () => {}).resume());
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const connected = once(server, "connection");
    const pool = poolFor({ host: "127.0.0.1" });
    const hanging = request({ url: `https://127.0.0.1:${port}` }, { timeoutMs: 100 });
    await expect(pool.post(hanging)).rejects.toMatchObject({ details: { reason: "timeout" } });
    const [socket] = await connected;
    if (!socket.destroyed) await once(socket, "close");
    server.close();
  });

  test("when its signal aborts, with the signal's reason", async () => {
    const ending = new AbortController();
    const reason = new Error("stopped");
    const rig = await startHttpRig(() => ending.abort(reason));
    const pool = poolFor(rig);
    await expect(pool.post(request(rig, { signal: ending.signal }))).rejects.toBe(reason);
    await expect(pool.post(request(rig, { signal: ending.signal }))).rejects.toBe(reason);
    expect([rig.seen.length, pool.connections]).toEqual([1, 0]);
  });

  test("when what answers speaks no HTTP", async () => {
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.on("data", () => socket.end("220 mail.example ESMTP\r\n"));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const pool = poolFor({ host: "127.0.0.1" });
    await expect(pool.post(request({ url: `http://127.0.0.1:${port}` }))).rejects.toMatchObject({
      code: "REQUEST_FAILED",
      details: { reason: "bad-response" },
    });
    server.close();
  });
});

describe("nothing is connected to", () => {
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
  ])("for %s", async (url) => {
    const pool = poolFor({ host: "b.example" }, { resolve: async () => ["8.8.8.8"] });
    await expect(pool.post(request({ url: "" }, { url }))).rejects.toMatchObject({
      code: "REQUEST_REFUSED",
      details: { reason: "address" },
    });
    expect(pool.connections).toBe(0);
  });

  test.each([["10.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["fd00::1"], ["fe80::1%eth0"], ["64:ff9b::a9fe:a9fe"]])(
    "for a name that stands for %j",
    async (...addresses) => {
      const pool = poolFor({ host: "b.example" }, { resolve: async () => addresses });
      await expect(pool.post(request({ url: "https://a.example" }))).rejects.toMatchObject({
        code: "REQUEST_REFUSED",
      });
    },
  );

  test("with headers that are the connection's own affair", async () => {
    const pool = poolFor({ host: "b.example" });
    const bad = request({ url: "https://a.example" }, { headers: { host: "b.example" } });
    await expect(pool.post(bad)).rejects.toMatchObject({ code: "OPTION_INVALID" });
  });
});
