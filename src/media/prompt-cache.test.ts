import {
  appendFile,
  copyFile,
  mkdtemp,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { serializeWav } from "../core/audio/wav.ts";
import { systemClock } from "../platform/clock.ts";
import { systemTimers } from "../platform/timers.ts";
import type { EncodedPrompt } from "./encoded-prompt.ts";
import { MediaClock } from "./media-clock.ts";
import { OpusDecoder } from "./opus-codec.ts";
import { createPromptCache } from "./prompt-cache.ts";

const FIXTURES = fileURLToPath(new URL("../../test/fixtures/audio/", import.meta.url));
const fixture = (name: string): string => join(FIXTURES, name);

let folder: string;
const inFolder = (name: string): string => join(folder, name);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ringback-prompts-"));
});

afterEach(() => rm(folder, { recursive: true }));

/** A WAV file of a 440 Hz tone. */
function toneWav(seconds: number, sampleRateHz = 8_000, channelCount = 1): Uint8Array {
  const samples = new Int16Array(seconds * sampleRateHz * channelCount);
  for (let i = 0; i < samples.length; i += 1) {
    samples[i] = 12_000 * Math.sin((2 * Math.PI * 440 * Math.floor(i / channelCount)) / sampleRateHz);
  }
  return serializeWav({ sampleRateHz, channelCount, samples });
}

function packetsOf(prompt: EncodedPrompt): Uint8Array[] {
  return Array.from({ length: prompt.packetCount }, (_, index) => prompt.packet(index)!);
}

async function decodePrompt(prompt: EncodedPrompt): Promise<Float32Array> {
  const decoder = await OpusDecoder.create();
  const samples = new Float32Array(prompt.packetCount * 960);
  packetsOf(prompt).forEach((packet, index) => {
    samples.set(
      Float32Array.from(decoder.decode(packet) ?? [], (sample) => sample / 32_768),
      index * 960,
    );
  });
  decoder.close();
  return samples;
}

function risingZeroCrossings(samples: Float32Array): number {
  let count = 0;
  for (let i = 1; i < samples.length; i += 1) {
    if ((samples[i - 1] ?? 0) < 0 && (samples[i] ?? 0) >= 0) count += 1;
  }
  return count;
}

describe("what can be played", () => {
  test.each([
    ["hello-16k.wav", 1200],
    ["hello-44k1-stereo.mp3", 1500],
    ["hello-22k05.flac", 1000],
    ["hello.opus", 1500],
  ])("%s becomes packets of its duration, with speech in them", async (name, durationMs) => {
    const prompt = await createPromptCache().load(fixture(name));
    // MP3 has no exact length: its encoder and decoder add up to 80 ms.
    expect(prompt.durationMs).toBeGreaterThan(durationMs - 30);
    expect(prompt.durationMs).toBeLessThan(durationMs + 80);
    expect(prompt.packetCount).toBe(Math.ceil(prompt.durationMs / 20 + 312 / 960 - 1e-9));
    const samples = await decodePrompt(prompt);
    const rms = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
    expect(rms).toBeGreaterThan(0.02);
    expect(rms).toBeLessThan(0.5);
  });

  test.each([
    [8_000, 1],
    [44_100, 2],
    [48_000, 1],
  ])("a tone in a %d Hz file with %d channels keeps its pitch and duration", async (rateHz, channelCount) => {
    await writeFile(inFolder("tone.wav"), toneWav(1, rateHz, channelCount));
    const prompt = await createPromptCache().load(inFolder("tone.wav"));
    expect(prompt.durationMs).toBe(1000);
    expect(prompt.packetCount).toBe(51);
    const middle = (await decodePrompt(prompt)).subarray(4_800, 43_200);
    expect(Math.abs(risingZeroCrossings(middle) - 352)).toBeLessThanOrEqual(1);
  });
});

test("prompts carry what a receiver makes a lost packet good with", async () => {
  const packets = packetsOf(await createPromptCache().load(fixture("hello-16k.wav")));
  // RFC 6716 §3.1: configurations below 16 hold SILK; §4.2.3 and §4.2.4: its first bits are VAD and LBRR, the FEC.
  const withFec = packets.filter(([toc = 0, first = 0]) => toc >> 3 < 16 && (first & 0x40) !== 0);
  expect(withFec.length).toBeGreaterThan(packets.length / 2);
});

describe("the cache", () => {
  test("fifty calls at once share one encode and one prompt", async () => {
    const cache = createPromptCache();
    const prompts = await Promise.all(Array.from({ length: 50 }, () => cache.load(fixture("hello.opus"))));
    expect(new Set(prompts).size).toBe(1);
    expect(await cache.load(fixture("hello.opus"))).toBe(prompts[0]);
    expect(cache.stats()).toMatchObject({ prompts: 1, encodes: 1 });
  });

  test("a file that has changed is encoded anew, in the place of the old one", async () => {
    const cache = createPromptCache();
    const path = inFolder("greeting.wav");
    await copyFile(fixture("hello-16k.wav"), path);
    const before = await cache.load(path);
    await writeFile(path, toneWav(0.5));
    const after = await cache.load(path);
    expect(after.durationMs).toBe(500);
    expect(cache.stats()).toMatchObject({ prompts: 1, encodes: 2, bytes: after.bytes });
    await utimes(path, new Date(), new Date(Date.now() + 5_000));
    expect(await cache.load(path)).not.toBe(after);
    expect(before.durationMs).toBe(1200);
  });

  test("two paths to one file share its prompt", async () => {
    const path = inFolder("greeting.wav");
    await copyFile(fixture("hello-16k.wav"), path);
    await symlink(path, inFolder("link.wav"));
    const cache = createPromptCache();
    const paths = [path, inFolder("link.wav"), relative(process.cwd(), path)];
    const prompts = await Promise.all(paths.map((each) => cache.load(each)));
    expect(new Set(prompts).size).toBe(1);
    expect(cache.stats()).toMatchObject({ prompts: 1, encodes: 1 });
  });

  test("a file that is moved into the place of another is played, though size and time are the same", async () => {
    const cache = createPromptCache();
    const path = inFolder("greeting.wav");
    await writeFile(path, toneWav(0.5));
    await writeFile(inFolder("next.wav"), toneWav(0.5, 16_000).subarray(0, 44 + 8_000));
    await Promise.all([path, inFolder("next.wav")].map((each) => utimes(each, 1e9, 1e9)));
    expect((await cache.load(path)).durationMs).toBe(500);
    await rename(inFolder("next.wav"), path);
    expect((await cache.load(path)).durationMs).toBe(250);
  });

  test("a file that is replaced while it is loaded is played anew by the next call", async () => {
    const cache = createPromptCache();
    const path = inFolder("greeting.wav");
    await writeFile(path, toneWav(20));
    const first = cache.load(path);
    await vi.waitFor(() => expect(cache.stats().encodes).toBe(1));
    await writeFile(inFolder("next.wav"), toneWav(0.5));
    await rename(inFolder("next.wav"), path);
    const second = await cache.load(path);
    expect(second.durationMs).toBe(500);
    // It may have found the file still unopened.
    expect([500, 20_000]).toContain((await first).durationMs);
    expect((await cache.load(path)).durationMs).toBe(500);
    expect(cache.stats().prompts).toBe(1);
  });

  test("the prompts least recently played go when memory is used up", async () => {
    const names = ["a.wav", "b.wav", "c.wav"];
    for (const name of names) await copyFile(fixture("hello-16k.wav"), inFolder(name));
    const one = await createPromptCache().load(inFolder("a.wav"));
    const cache = createPromptCache({ maxBytes: one.bytes * 2 });
    const first = await cache.load(inFolder("a.wav"));
    await cache.load(inFolder("b.wav"));
    await cache.load(inFolder("a.wav"));
    await cache.load(inFolder("c.wav"));
    expect(cache.stats()).toEqual({ prompts: 2, bytes: one.bytes * 2, encodes: 3, evictions: 1 });
    expect(await cache.load(inFolder("a.wav"))).toBe(first);
    await cache.load(inFolder("b.wav"));
    expect(cache.stats().encodes).toBe(4);
  });

  test("a prompt larger than the whole cache is played and not kept", async () => {
    const cache = createPromptCache({ maxBytes: 100 });
    expect((await cache.load(fixture("hello.opus"))).packetCount).toBeGreaterThan(50);
    expect(cache.stats()).toMatchObject({ prompts: 0, bytes: 0 });
  });

  test("a failure is not remembered", async () => {
    const cache = createPromptCache();
    const path = inFolder("late.wav");
    await expect(cache.load(path)).rejects.toMatchObject({ details: { path, reason: "missing" } });
    await writeFile(path, "not yet");
    await expect(cache.load(path)).rejects.toMatchObject({ details: { path, reason: "not-audio" } });
    await writeFile(path, toneWav(0.2));
    expect((await cache.load(path)).durationMs).toBe(200);
  });
});

describe("what cannot be played", () => {
  const header = toneWav(0.1).subarray(0, 44);
  test.each([
    ["nothing at all", new Uint8Array(), "empty"],
    ["a WAV file without samples", toneWav(0), "empty"],
    ["text", "hello, this is no sound", "not-audio"],
    ["a PNG", Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0), "not-audio"],
    ["half a WAV header", header.subarray(0, 30), "not-audio"],
    [
      "an MP3 frame header and then text",
      Uint8Array.of(0xff, 0xfb, 0x90, 0, ...new Uint8Array(3_000).fill(65)),
      "not-audio",
    ],
    [
      "an ID3 tag and nothing else",
      Uint8Array.of(0x49, 0x44, 0x33, 4, 0, 0, 0, 0, 0, 10, ...new Uint8Array(10)),
      "not-audio",
    ],
    ["the beginning of a FLAC header", Uint8Array.of(0x66, 0x4c, 0x61, 0x43, 0, 0, 0, 0x22), "not-audio"],
    [
      "a WAV file with an absurd rate",
      toneWav(0.1).map((byte, i) => (i >= 24 && i < 28 ? 0xff : byte)),
      "not-audio",
    ],
  ])("%s is refused", async (_, bytes, reason) => {
    const path = inFolder("file");
    await writeFile(path, bytes);
    await expect(createPromptCache().load(path)).rejects.toMatchObject({
      code: "MEDIA_FILE_UNUSABLE",
      details: { path, reason },
    });
  });

  test.each([
    ["hello.opus", 100],
    ["hello.opus", 400],
    ["hello-22k05.flac", 200],
    ["hello-44k1-stereo.mp3", 60],
  ])("%s cut off after %d bytes is refused, or played as far as it goes", async (name, length) => {
    const path = inFolder("cut");
    await writeFile(path, (await readFile(fixture(name))).subarray(0, length));
    const outcome = await createPromptCache()
      .load(path)
      .then(
        (prompt) => prompt.durationMs < 1000,
        (error) => error.details.reason === "not-audio",
      );
    expect(outcome).toBe(true);
  });

  test("a folder is unreadable", async () => {
    await expect(createPromptCache().load(folder)).rejects.toMatchObject({
      details: { reason: "unreadable" },
    });
  });

  test("a file over the limit is refused before it is read", async () => {
    const path = inFolder("large.wav");
    await writeFile(path, toneWav(1));
    await appendFile(path, new Uint8Array(10_000));
    const cache = createPromptCache({ maxFileBytes: (await stat(path)).size - 1 });
    await expect(cache.load(path)).rejects.toMatchObject({ details: { reason: "too-large" } });
  });

  test("two hours of sound are refused soon after the limit, not after two hours of decoding", async () => {
    const path = inFolder("long.wav");
    // A header that claims all of it, and a file of zeros that takes no space.
    const header = toneWav(0, 4_000);
    new DataView(header.buffer).setUint32(40, 7_200 * 8_000, true);
    await writeFile(path, header);
    await truncate(path, 44 + 7_200 * 8_000);
    const startMs = performance.now();
    const cache = createPromptCache({ maxDurationMs: 2_000 });
    await expect(cache.load(path)).rejects.toMatchObject({ details: { reason: "too-long" } });
    // All of it would take more than a minute.
    expect(performance.now() - startMs).toBeLessThan(10_000);
    expect(cache.stats()).toMatchObject({ prompts: 0, bytes: 0, encodes: 1 });
    await expect(cache.load(path)).rejects.toMatchObject({ details: { path, reason: "too-long" } });
    expect(cache.stats().encodes).toBe(1);
    await writeFile(path, toneWav(1));
    expect((await cache.load(path)).durationMs).toBe(1000);
  });
});

// In real time: other programs on a busy machine take slots, too.
test("the media clock keeps time while a file is decoded and encoded", { retry: 2 }, async () => {
  await writeFile(inFolder("minute.wav"), toneWav(60));
  const clock = new MediaClock({ clock: systemClock, timers: systemTimers, onError: () => {} });
  const ticker = { tick: () => {} };
  clock.add(ticker);
  await createPromptCache().load(inFolder("minute.wav"));
  clock.remove(ticker);
  const { ticks, skippedSlots } = clock.stats();
  // In one piece the work would skip nearly every slot; the allowance is for a busy machine.
  expect(ticks).toBeGreaterThan(5);
  expect(skippedSlots).toBeLessThanOrEqual(ticks * 0.2);
});
