import type { ServerResponse } from "node:http";
import { expect, test } from "vitest";
import { type Handler, startHttpRig } from "../../../test/support/http-rig.ts";
import { serializeWav } from "../../core/audio/wav.ts";
import { createRequestPolicy } from "../../platform/outgoing-request.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { UrlSounds } from "./url-sounds.ts";

const WAV = serializeWav({ sampleRateHz: 8_000, channelCount: 1, samples: new Int16Array(800) });
const ok: Handler = (_, response) => response.setHeader("content-type", "audio/wav").end(WAV);

async function setUp(handler: Handler = ok) {
  const server = await startHttpRig(handler);
  const clock = new ManualClock();
  const policy = createRequestPolicy({ allowHttp: true, allowedHosts: ["127.0.0.1"] });
  return { server, clock, sounds: new UrlSounds(policy, clock) };
}

/** A server that answers when the test says so. */
function held() {
  const responses: ServerResponse[] = [];
  let onCome: () => void = () => {};
  const come = new Promise<void>((resolve) => {
    onCome = resolve;
  });
  const handler: Handler = (_, response) => {
    responses.push(response);
    onCome();
  };
  return { handler, responses, come };
}

test("a URL is asked for once a minute, and gives the same sound meanwhile", async () => {
  const { server, clock, sounds } = await setUp();
  const url = `${server.url}/a.wav?token=secret`;
  const first = await sounds.load(url);
  expect(first.name).toBe(`${server.url}/a.wav`);
  clock.advance(59_000);
  expect(await sounds.load(url)).toBe(first);
  expect(server.seen).toHaveLength(1);
  clock.advance(2_000);
  expect((await sounds.load(url)).version).toBe(first.version);
  expect(server.seen).toHaveLength(2);
});

test("all who want it at once share one request, those who may give up included", async () => {
  const { handler, responses, come } = held();
  const { server, sounds } = await setUp(handler);
  const url = `${server.url}/a.wav`;
  const abort = new AbortController();
  const loads = [
    sounds.load(url),
    sounds.load(url, abort.signal),
    sounds.load(url, new AbortController().signal),
  ];
  await come;
  abort.abort();
  await expect(loads[1]).rejects.toMatchObject({ name: "AbortError" });
  responses[0]?.setHeader("content-type", "audio/wav").end(WAV);
  const [first, , third] = await Promise.allSettled(loads);
  expect(first).toEqual(third);
  expect(first?.status).toBe("fulfilled");
  expect(server.seen).toHaveLength(1);
});

test("a request that nobody waits for any more is given up, and the next one asks anew", async () => {
  const { handler, responses, come } = held();
  const { server, sounds } = await setUp(handler);
  const url = `${server.url}/a.wav`;
  const abort = new AbortController();
  const loading = sounds.load(url, abort.signal);
  await come;
  const closed = new Promise((resolve) => responses[0]?.on("close", resolve));
  abort.abort();
  await expect(loading).rejects.toMatchObject({ name: "AbortError" });
  await closed;
  const again = sounds.load(url);
  await expect.poll(() => responses.length).toBe(2);
  responses[1]?.setHeader("content-type", "audio/wav").end(WAV);
  await again;
  await expect(sounds.load(url, AbortSignal.abort())).rejects.toMatchObject({ name: "AbortError" });
});

test("a failure is told to all who wait, and is not remembered", async () => {
  let isBroken = true;
  const { server, sounds } = await setUp((request, response) => {
    if (isBroken) response.writeHead(503).end();
    else ok(request, response, undefined as never);
  });
  const url = `${server.url}/a.wav`;
  const loads = await Promise.allSettled([sounds.load(url), sounds.load(url)]);
  for (const load of loads) {
    expect(load).toMatchObject({ status: "rejected", reason: { code: "REQUEST_FAILED" } });
  }
  isBroken = false;
  expect((await sounds.load(url)).name).toBe(url);
});

test("what is no audio, or may not be asked for, is refused", async () => {
  const { server, sounds } = await setUp((_, response) =>
    response.setHeader("content-type", "text/html").end("x"),
  );
  await expect(sounds.load(`${server.url}/a.html`)).rejects.toMatchObject({ code: "REQUEST_FAILED" });
  await expect(sounds.load("http://10.0.0.1/a.wav")).rejects.toMatchObject({ code: "REQUEST_REFUSED" });
});
