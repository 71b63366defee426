import { describe, expect, test } from "vitest";
import { createCachedSpeech } from "./speech-cache.ts";
import type { SpeechRequest, TextToSpeech } from "./text-to-speech.ts";

interface Asked {
  readonly request: SpeechRequest;
  readonly finish: (bytes: Uint8Array) => void;
  readonly fail: (error: Error) => void;
}

/** Speaks when it is told to. */
function createScripted(): TextToSpeech & { readonly asked: Asked[] } {
  const asked: Asked[] = [];
  const synthesize = (request: SpeechRequest): Promise<Uint8Array> =>
    new Promise((resolve, reject) => {
      asked.push({ request, finish: resolve, fail: reject });
      request.signal?.addEventListener("abort", () => reject(request.signal?.reason));
    });
  return { name: "scripted", asked, synthesize };
}

const SOUND = new Uint8Array(1_000);

/** Speaks at once. */
function createInstant(): TextToSpeech {
  return { name: "instant", synthesize: async () => SOUND };
}

describe("what was spoken", () => {
  test("is not spoken again, whatever white space is around it", async () => {
    const speech = createCachedSpeech(createInstant());
    expect(await speech.synthesize({ text: "a  b" })).toBe(SOUND);
    expect(await speech.synthesize({ text: " a\nb " })).toBe(SOUND);
    expect(speech.stats()).toMatchObject({ sounds: 1, syntheses: 1, hits: 1 });
    expect(speech.name).toBe("instant");
  });

  test("is spoken anew in another voice or language", async () => {
    const speech = createCachedSpeech(createInstant());
    for (const request of [{}, { voice: "a" }, { language: "a" }, { voice: "a", language: "a" }]) {
      await speech.synthesize({ text: "text", ...request });
    }
    expect(speech.stats()).toMatchObject({ sounds: 4, syntheses: 4, hits: 0 });
  });

  test("is forgotten when there is no room for it, the least recently used first", async () => {
    const speech = createCachedSpeech(createInstant(), { maxBytes: 2_500 });
    for (const text of ["a", "b", "a", "c", "a", "b"]) await speech.synthesize({ text });
    // c took the place of b, and b then that of c.
    expect(speech.stats()).toMatchObject({ sounds: 2, syntheses: 4, hits: 2, evictions: 2 });
    expect(speech.stats().bytes).toBeLessThanOrEqual(2_500);
  });

  test("is not kept when it is larger than all the room", async () => {
    const speech = createCachedSpeech(createInstant(), { maxBytes: 999 });
    await speech.synthesize({ text: "a" });
    await speech.synthesize({ text: "a" });
    expect(speech.stats()).toEqual({ sounds: 0, bytes: 0, syntheses: 2, hits: 0, evictions: 0 });
  });
});

describe("the same request at the same time", () => {
  test("takes one synthesis", async () => {
    const scripted = createScripted();
    const speech = createCachedSpeech(scripted);
    const both = [speech.synthesize({ text: "a", voice: "v" }), speech.synthesize({ text: "a", voice: "v" })];
    await Promise.resolve();
    expect(scripted.asked).toMatchObject([{ request: { text: "a", voice: "v" } }]);
    scripted.asked[0]?.finish(SOUND);
    expect(await Promise.all(both)).toEqual([SOUND, SOUND]);
    expect(speech.stats()).toMatchObject({ syntheses: 1, hits: 1 });
  });

  test("fails for all, and is not remembered", async () => {
    const scripted = createScripted();
    const speech = createCachedSpeech(scripted);
    const both = Promise.allSettled([speech.synthesize({ text: "a" }), speech.synthesize({ text: "a" })]);
    scripted.asked[0]?.fail(new Error("broken"));
    expect((await both).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    const again = speech.synthesize({ text: "a" });
    scripted.asked[1]?.finish(SOUND);
    expect(await again).toBe(SOUND);
  });

  test("goes on when one of them is wanted no more", async () => {
    const scripted = createScripted();
    const speech = createCachedSpeech(scripted);
    const ending = new AbortController();
    const first = speech.synthesize({ text: "a", signal: ending.signal });
    const second = speech.synthesize({ text: "a" });
    ending.abort(new Error("hung up"));
    await expect(first).rejects.toThrow("hung up");
    expect(scripted.asked[0]?.request.signal?.aborted).toBe(false);
    scripted.asked[0]?.finish(SOUND);
    expect(await second).toBe(SOUND);
  });

  test("ends when none of them is wanted any more, and the next one begins anew", async () => {
    const scripted = createScripted();
    const speech = createCachedSpeech(scripted);
    const ending = new AbortController();
    const { signal } = ending;
    const both = [speech.synthesize({ text: "a", signal }), speech.synthesize({ text: "a", signal })];
    const outcomes = Promise.allSettled(both);
    ending.abort(new Error("hung up"));
    await outcomes;
    expect(scripted.asked[0]?.request.signal?.aborted).toBe(true);
    await expect(speech.synthesize({ text: "a", signal })).rejects.toThrow("hung up");
    const again = speech.synthesize({ text: "a" });
    scripted.asked[1]?.finish(SOUND);
    expect(await again).toBe(SOUND);
    expect(speech.stats()).toMatchObject({ sounds: 1, syntheses: 2 });
  });
});

test("an adapter that throws at once, and a text that is none, are failures like others", async () => {
  const speech = createCachedSpeech({
    name: "broken",
    synthesize() {
      throw new Error("broken");
    },
  });
  await expect(speech.synthesize({ text: "a" })).rejects.toThrow("broken");
  await expect(speech.synthesize({ text: " " })).rejects.toMatchObject({ code: "SPEECH_FAILED" });
  expect(() => createCachedSpeech(createInstant(), { maxBytes: Number.NaN })).toThrow("maxBytes");
});
