import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { type Handler, startHttpRig } from "../../../test/support/http-rig.ts";
import { serializeWav } from "../../core/audio/wav.ts";
import { createHttpSpeech, type HttpSpeechOptions } from "./http-speech.ts";

const WAV = serializeWav({ sampleRateHz: 24_000, channelCount: 1, samples: new Int16Array(240) });
const KEY = "sk-secret-0123456789";
const TEXT = "confidential";

const ok: Handler = (_, response) => response.setHeader("content-type", "audio/wav").end(WAV);

function status(code: number): Handler {
  return (request, response) => response.writeHead(code).end(request.body);
}

async function speak(handler: Handler, options: Partial<HttpSpeechOptions> = {}): Promise<Uint8Array> {
  const rig = await startHttpRig(handler);
  const speech = createHttpSpeech({
    url: `${rig.url}/v1`,
    model: "tts",
    voice: "alloy",
    apiKey: KEY,
    ...options,
  });
  return speech.synthesize({ text: TEXT });
}

async function failureOf(work: Promise<unknown>): Promise<Error> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("It was to fail.");
}

describe("a server speaks", () => {
  test("as OpenAI's API has it", async () => {
    const rig = await startHttpRig(ok);
    const speech = createHttpSpeech({
      url: `${rig.url}/v1/`,
      apiKey: KEY,
      model: "tts",
      voice: "alloy",
      parameters: { speed: 1.25 },
    });
    expect(speech.name).toBe(rig.host);
    expect(await speech.synthesize({ text: " Hello,\nyou ", language: "en" })).toEqual(WAV);
    expect(rig.seen).toMatchObject([
      {
        method: "POST",
        url: "/v1/audio/speech",
        headers: { authorization: `Bearer ${KEY}`, "content-type": "application/json" },
      },
    ]);
    expect(JSON.parse(rig.seen[0]?.body ?? "")).toEqual({
      speed: 1.25,
      model: "tts",
      input: "Hello, you",
      voice: "alloy",
      response_format: "wav",
    });
  });

  test("with the voice of the request, without a key, at a whole address, of no said type", async () => {
    const rig = await startHttpRig((_, response) => response.end(WAV));
    const url = `${rig.url}/api/audio/speech?tenant=1`;
    const speech = createHttpSpeech({ url, model: "m", voice: "alloy", format: "flac", name: "own" });
    await speech.synthesize({ text: "a", voice: "nova" });
    expect(rig.seen[0]?.url).toBe("/api/audio/speech?tenant=1");
    expect(rig.seen[0]?.headers).not.toHaveProperty("authorization");
    expect(JSON.parse(rig.seen[0]?.body ?? "")).toMatchObject({ voice: "nova", response_format: "flac" });
  });

  test("at localhost, which the setting itself allows", async () => {
    const rig = await startHttpRig(ok);
    const url = `http://localhost:${rig.port}/v1`;
    const speech = createHttpSpeech({
      url,
      model: "m",
      voice: "a",
      requests: { resolve: async () => ["127.0.0.1"] },
    });
    expect(await speech.synthesize({ text: "a" })).toEqual(WAV);
  });
});

describe("a server that does not speak", () => {
  test.each<[string, Handler, string, boolean]>([
    ["wants another key", status(401), "refused", false],
    ["does not know the voice", status(400), "refused", false],
    ["is none of this kind", status(404), "refused", false],
    ["has too much to do", status(429), "busy", true],
    ["breaks down", status(500), "failed", true],
    ["hangs up", (_, __, incoming) => incoming.socket.destroy(), "unavailable", true],
    [
      "sends JSON",
      (_, response) => response.setHeader("content-type", "application/json").end("{}"),
      "not-audio",
      false,
    ],
    [
      "sends a page",
      (_, response) => response.setHeader("content-type", "text/html").end("<html>"),
      "not-audio",
      false,
    ],
    ["sends something else", (_, response) => response.end("something else"), "not-audio", false],
    ["sends nothing", (_, response) => response.end(), "not-audio", false],
    ["sends too much", (_, response) => response.end(Buffer.alloc(20_000)), "too-large", false],
    [
      "leads away",
      (_, response) => response.writeHead(307, { location: "http://127.0.0.9:1/" }).end(),
      "refused",
      false,
    ],
  ])("because it %s is told, without text and key", async (_, handler, reason, retryable) => {
    const error = await failureOf(speak(handler, { maxBytes: 10_000, name: "tts" }));
    expect(error).toMatchObject({ code: "SPEECH_FAILED", details: { speech: "tts", reason }, retryable });
    expect(inspect(error)).not.toContain(TEXT);
    expect(inspect(error)).not.toContain(KEY);
  });

  test("because it takes too long is told", async () => {
    const error = await failureOf(speak(() => {}, { timeoutMs: 100 }));
    expect(error).toMatchObject({ code: "SPEECH_FAILED", details: { reason: "timeout" }, retryable: true });
  });

  test("because its name leads somewhere private that nobody has set is told", async () => {
    const requests = { onlyAllowedHosts: true, maxRedirects: 0 };
    const redirect: Handler = (_, response) => response.writeHead(302, { location: "/elsewhere" }).end();
    expect(await failureOf(speak(redirect, { requests }))).toMatchObject({ details: { reason: "refused" } });
  });

  test("because the call is over ends with the signal's reason", async () => {
    const ending = new AbortController();
    const rig = await startHttpRig(() => ending.abort(new Error("hung up")));
    const speech = createHttpSpeech({ url: rig.url, model: "m", voice: "a" });
    await expect(speech.synthesize({ text: "a", signal: ending.signal })).rejects.toThrow("hung up");
  });

  test("because too many wait for it is told", async () => {
    const rig = await startHttpRig(() => {});
    const speech = createHttpSpeech({ url: rig.url, model: "m", voice: "a", concurrency: 1 });
    const callers = Array.from({ length: 102 }, () => new AbortController());
    const started = callers.map(({ signal }) => speech.synthesize({ text: "a", signal }));
    const outcomes = Promise.allSettled(started);
    await expect(started.at(-1)).rejects.toMatchObject({ details: { reason: "busy" } });
    for (const caller of callers) caller.abort(new Error("enough"));
    expect((await outcomes).every(({ status: outcome }) => outcome === "rejected")).toBe(true);
  });

  test.each<[string, Partial<HttpSpeechOptions>]>([
    ["url", { url: "api.openai.com" }],
    ["url", { url: "ftp://api.openai.com" }],
    ["url", { url: "https://user:key@api.openai.com/v1" }],
    ["url", { url: "http://tts.example/v1" }],
    ["apiKey", { apiKey: "a key" }],
    ["concurrency", { concurrency: 65 }],
    ["requests.timeoutMs", { timeoutMs: 0 }],
  ])("because its %s is wrong is not made", (option, options) => {
    const all = { url: "https://api.openai.com/v1", model: "m", voice: "a", ...options };
    expect(() => createHttpSpeech(all)).toThrow(
      expect.objectContaining({ code: "OPTION_INVALID", details: { option } }),
    );
  });

  test("may be reached over plain http where that is allowed", () => {
    const requests = { allowHttp: true };
    expect(createHttpSpeech({ url: "http://kokoro:8880/v1", model: "m", voice: "a", requests }).name).toBe(
      "kokoro:8880",
    );
  });
});
