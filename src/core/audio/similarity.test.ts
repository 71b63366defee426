import { readFile } from "node:fs/promises";
import decode from "audio-decode";
import { createDecoder, createEncoder } from "libopus-wasm";
import { beforeAll, describe, expect, it } from "vitest";
import { compareAudio } from "./similarity.ts";

const RATE_HZ = 48_000;
let workshop: Int16Array;
let parcel: Int16Array;
let workshopHeard: Int16Array;

beforeAll(async () => {
  workshop = await load("speech-workshop.ogg");
  parcel = await load("speech-parcel.ogg");
  workshopHeard = await throughOpus(workshop, 24_000);
});

async function load(name: string): Promise<Int16Array> {
  const bytes = await readFile(new URL(`../../../test/fixtures/audio/${name}`, import.meta.url));
  const audio = await decode(new Uint8Array(bytes));
  expect(audio.sampleRate).toBe(RATE_HZ);
  return Int16Array.from(audio.channelData[0]!, (sample) => Math.max(-1, Math.min(1, sample)) * 32_767);
}

async function throughOpus(pcm: Int16Array, bitrate: number): Promise<Int16Array> {
  const encoder = await createEncoder({ channels: 1, sampleRate: RATE_HZ, bitrate });
  const decoder = await createDecoder({ channels: 1, sampleRate: RATE_HZ });
  const out = new Int16Array(Math.floor(pcm.length / 960) * 960);
  for (let i = 0; i < out.length; i += 960)
    out.set(decoder.decode(encoder.encode(pcm.subarray(i, i + 960))), i);
  encoder.free();
  decoder.free();
  return out;
}

function delayed(pcm: Int16Array, delayMs: number, tailMs = 0): Int16Array {
  const out = new Int16Array(pcm.length + ((delayMs + tailMs) * RATE_HZ) / 1000);
  out.set(pcm, (delayMs * RATE_HZ) / 1000);
  return out;
}

/** As a sender does that was held up: it goes on where it stopped. */
function withPauses(pcm: Int16Array, count: number, pauseMs: number): Int16Array {
  const pause = (pauseMs * RATE_HZ) / 1000;
  const out = new Int16Array(pcm.length + count * pause);
  for (let i = 0; i <= count; i += 1) {
    const from = Math.floor((pcm.length * i) / (count + 1));
    out.set(pcm.subarray(from, Math.floor((pcm.length * (i + 1)) / (count + 1))), from + i * pause);
  }
  return out;
}

function toneOf(frequencyHz: number, ms: number): Int16Array {
  return Int16Array.from({ length: (ms * RATE_HZ) / 1000 }, (_, i) =>
    Math.round(8000 * Math.sin((2 * Math.PI * frequencyHz * i) / RATE_HZ)),
  );
}

describe("compareAudio", () => {
  it("finds the same audio to be the same", () => {
    const found = compareAudio(workshop, workshop, RATE_HZ);
    expect(found.similarity).toBeGreaterThan(0.999);
    expect(found.offsetMs).toBe(0);
  });

  it.each([24_000, 20_000])("knows speech again after Opus at %i bit/s", async (bitrate) => {
    const found = compareAudio(workshop, await throughOpus(workshop, bitrate), RATE_HZ);
    expect(found.similarity).toBeGreaterThan(0.9);
    expect(Math.abs(found.offsetMs)).toBeLessThan(15);
  });

  it.each([0, 137, 1000, 4003])("finds it %i ms later in a longer recording", (delayMs) => {
    const found = compareAudio(workshop, delayed(workshopHeard, delayMs, 2000), RATE_HZ);
    expect(found.similarity).toBeGreaterThan(0.9);
    expect(Math.abs(found.offsetMs - delayMs)).toBeLessThan(15);
  });

  it.each([
    [1, 20],
    [3, 60],
    [10, 20],
  ])("knows speech again that %i pauses of %i ms were put into", (count, pauseMs) => {
    const found = compareAudio(workshop, withPauses(workshopHeard, count, pauseMs), RATE_HZ);
    expect(found.similarity).toBeGreaterThan(0.85);
    const other = compareAudio(parcel, withPauses(workshopHeard, count, pauseMs), RATE_HZ);
    expect(other.similarity).toBeLessThan(0.5);
  });

  it("does not mind loudness", () => {
    const quiet = workshopHeard.map((sample) => sample / 8);
    expect(compareAudio(workshop, quiet, RATE_HZ).similarity).toBeGreaterThan(0.9);
  });

  it("tells a clipped beginning by a negative offset", () => {
    const found = compareAudio(workshop, workshopHeard.subarray((300 * RATE_HZ) / 1000), RATE_HZ);
    expect(Math.abs(found.offsetMs + 300)).toBeLessThan(15);
    expect(found.similarity).toBeGreaterThan(0.6);
  });

  it("tells other speech of the same voice apart, both ways", () => {
    expect(compareAudio(parcel, workshopHeard, RATE_HZ).similarity).toBeLessThan(0.5);
    expect(compareAudio(workshop, parcel, RATE_HZ).similarity).toBeLessThan(0.5);
  });

  it("drops clearly when a second is missing", () => {
    const whole = compareAudio(workshop, workshopHeard, RATE_HZ).similarity;
    const holed = workshopHeard.slice();
    holed.fill(0, RATE_HZ, 2 * RATE_HZ);
    const { similarity, offsetMs } = compareAudio(workshop, holed, RATE_HZ);
    expect(similarity).toBeLessThan(whole - 0.2);
    expect(Math.abs(offsetMs)).toBeLessThan(15);
  });

  it.each([
    ["silence", () => new Int16Array(3 * RATE_HZ)],
    ["a tone", () => toneOf(440, 3000)],
    ["nothing", () => new Int16Array(0)],
  ])("hears no speech in %s", (_name, make) => {
    expect(compareAudio(workshop, make(), RATE_HZ).similarity).toBeLessThan(0.2);
  });

  it("hears no speech in a tone that went through Opus", async () => {
    const tone = await throughOpus(toneOf(440, 3000), 24_000);
    expect(compareAudio(workshop, tone, RATE_HZ).similarity).toBeLessThan(0.2);
  });

  it("has nothing to find when the reference is silent or shorter than a frame", () => {
    expect(compareAudio(new Int16Array(RATE_HZ), workshop, RATE_HZ).similarity).toBe(0);
    expect(compareAudio(workshop.subarray(0, 500), workshop, RATE_HZ)).toEqual({
      similarity: 0,
      offsetMs: 0,
    });
  });

  it("compares 10 s in well under a second", () => {
    const tenSeconds = new Int16Array(10 * RATE_HZ);
    for (let at = 0; at < tenSeconds.length; at += workshop.length) {
      tenSeconds.set(workshop.subarray(0, tenSeconds.length - at), at);
    }
    // CPU time: a busy machine may take any time on the wall.
    const before = process.cpuUsage();
    expect(compareAudio(tenSeconds, tenSeconds, RATE_HZ).similarity).toBeGreaterThan(0.99);
    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(900);
  });
});
