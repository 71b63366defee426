import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { systemClock } from "../platform/clock.ts";
import { decodeFile } from "./file-decoder.ts";
import { OpusDecoder } from "./opus-codec.ts";
import { createPromptCache } from "./prompt-cache.ts";
import { WorkSlices } from "./work-slices.ts";

const FIXTURES = fileURLToPath(new URL("../../test/fixtures/audio/", import.meta.url));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ringback-decoder-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function decode(path: string): Promise<Float32Array> {
  const samples: number[] = [];
  for await (const piece of decodeFile(path, new WorkSlices(systemClock, 4))) samples.push(...piece);
  return Float32Array.from(samples);
}

async function decodeBytes(bytes: Uint8Array): Promise<Float32Array> {
  const path = join(folder, "file");
  await writeFile(path, bytes);
  return decode(path);
}

interface WavFormat {
  /** 1 PCM, 3 floating point, 7 µ-law. */
  readonly tag: number;
  readonly bits: number;
  readonly rateHz: number;
  readonly channels: number;
  readonly write: (view: DataView, offset: number, sample: number) => void;
}

/** A WAV file of half a second, 440 Hz at a quarter of full scale in every channel. */
function toneWav({ tag, bits, rateHz, channels, write }: WavFormat): Uint8Array {
  const frames = rateHz / 2;
  const frameBytes = (bits / 8) * channels;
  const view = new DataView(new ArrayBuffer(44 + frames * frameBytes));
  const text = (offset: number, value: string): void => {
    new Uint8Array(view.buffer).set(Buffer.from(value), offset);
  };
  text(0, "RIFF");
  text(8, "WAVEfmt ");
  text(36, "data");
  view.setUint32(4, view.byteLength - 8, true);
  view.setUint32(16, 16, true);
  view.setUint16(20, tag, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, rateHz, true);
  view.setUint32(28, rateHz * frameBytes, true);
  view.setUint16(32, frameBytes, true);
  view.setUint16(34, bits, true);
  view.setUint32(40, frames * frameBytes, true);
  for (let i = 0; i < frames * channels; i += 1) {
    const sample = 0.25 * Math.sin((2 * Math.PI * 440 * Math.floor(i / channels)) / rateHz);
    write(view, 44 + (i * bits) / 8, sample);
  }
  return new Uint8Array(view.buffer);
}

const float32 = {
  tag: 3,
  bits: 32,
  rateHz: 48_000,
  channels: 1,
  write: (view: DataView, offset: number, sample: number) => view.setFloat32(offset, sample, true),
};

function rms(samples: Float32Array): number {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
}

test.each<[string, Partial<WavFormat>]>([
  ["8 bit", { tag: 1, bits: 8, write: (view, offset, sample) => view.setUint8(offset, 128 + sample * 128) }],
  [
    "24 bit at 44.1 kHz",
    {
      tag: 1,
      bits: 24,
      rateHz: 44_100,
      write(view, offset, sample) {
        view.setInt8(offset + 2, Math.floor(sample * 128));
        view.setUint16(offset, (sample * 2 ** 23) & 0xffff, true);
      },
    },
  ],
  [
    "32 bit at 8 kHz",
    {
      tag: 1,
      bits: 32,
      rateHz: 8_000,
      write: (view, offset, sample) => view.setInt32(offset, sample * 2 ** 31, true),
    },
  ],
  ["floating point at 192 kHz", { rateHz: 192_000 }],
  ["eight channels", { channels: 8 }],
])("a WAV file of %s keeps its loudness and duration", async (_, format) => {
  const samples = await decodeBytes(toneWav({ ...float32, ...format }));
  expect(Math.abs(samples.length - 24_000)).toBeLessThanOrEqual(1);
  expect(rms(samples)).toBeCloseTo(0.25 / Math.SQRT2, 2);
});

test("samples that no ear can take are bounded", async () => {
  const wav = toneWav(float32);
  const view = new DataView(wav.buffer);
  [Number.NaN, Number.POSITIVE_INFINITY, -1e30, 1.5].forEach((sample, i) => {
    view.setFloat32(44 + i * 4, sample, true);
  });
  expect([...(await decodeBytes(wav)).subarray(0, 4)]).toEqual([0, 1, -1, 1]);
});

test("pictures and tags around an MP3 are not played, and nothing is printed", async () => {
  const print = vi.spyOn(console, "error");
  try {
    const mp3 = await readFile(join(FIXTURES, "hello-44k1-stereo.mp3"));
    const noise = Uint8Array.from({ length: 200_000 }, (_, i) => (i * i * 7 + (i >> 3)) & 0xff);
    const alone = await decodeBytes(mp3);
    expect(await decodeBytes(Buffer.concat([mp3, noise]))).toEqual(alone);
    const tag = Uint8Array.of(0x49, 0x44, 0x33, 4, 0, 0, 0, 12, 26, 64);
    expect(await decodeBytes(Buffer.concat([tag, noise, mp3]))).toEqual(alone);
    expect(print).not.toHaveBeenCalled();
  } finally {
    print.mockRestore();
  }
});

test("a FLAC file behind an ID3 tag is refused, not played as noise", async () => {
  const flac = await readFile(join(FIXTURES, "hello-22k05.flac"));
  const tag = new Uint8Array(138);
  tag.set([0x49, 0x44, 0x33, 4, 0, 0, 0, 0, 1, 0]);
  await expect(decodeBytes(Buffer.concat([tag, flac]))).rejects.toMatchObject({
    details: { reason: "not-audio" },
  });
});

test.each(["hello-16k.wav", "hello-44k1-stereo.mp3", "hello-22k05.flac", "hello.opus", "speech-parcel.ogg"])(
  "%s as a prompt is as loud as the file",
  async (name) => {
    const path = join(FIXTURES, name);
    const source = await decode(path);
    const prompt = await createPromptCache().load(path);
    const decoder = await OpusDecoder.create();
    const packets = Array.from({ length: prompt.packetCount }, (_, index) => prompt.packet(index)!);
    const pcm = packets.flatMap((packet) => [...(decoder.decode(packet) ?? [])]);
    const heard = Float32Array.from(pcm, (sample) => sample / 32_768);
    decoder.close();
    // 24 kbit/s costs some of the hiss and none of the voice.
    const decibels =
      20 * Math.log10((rms(heard) * Math.sqrt(heard.length)) / (rms(source) * Math.sqrt(source.length)));
    expect(Math.abs(decibels)).toBeLessThan(1);
    expect(heard.every((sample) => Math.abs(sample) < 1)).toBe(true);
  },
);
