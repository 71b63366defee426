import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createDecoder } from "libopus-wasm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createVoice, type Voice } from "./voice.ts";

const SPEECH = fileURLToPath(new URL("../../../test/fixtures/audio/speech-workshop.ogg", import.meta.url));
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ringback-voice-"));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** A 16-bit WAV with a tone on each of its channels. */
function wav(sampleRateHz: number, channels: number, ms: number, frequencyHz: number): Buffer {
  const frames = (sampleRateHz * ms) / 1000;
  const data = Buffer.alloc(frames * channels * 2);
  for (let i = 0; i < frames * channels; i += 1) {
    const phase = (2 * Math.PI * frequencyHz * Math.floor(i / channels)) / sampleRateHz;
    data.writeInt16LE(Math.round(8000 * Math.sin(phase)), i * 2);
  }
  const header = Buffer.alloc(44);
  header.write("RIFF", 0);
  header.writeUInt32LE(36 + data.length, 4);
  header.write("WAVEfmt ", 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(sampleRateHz, 24);
  header.writeUInt32LE(sampleRateHz * channels * 2, 28);
  header.writeUInt16LE(channels * 2, 32);
  header.writeUInt16LE(16, 34);
  header.write("data", 36);
  header.writeUInt32LE(data.length, 40);
  return Buffer.concat([header, data]);
}

async function listen(voice: Voice, packets: number): Promise<Int16Array> {
  const decoder = await createDecoder({ channels: 1, sampleRate: 48_000 });
  const pcm = new Int16Array(packets * 960);
  for (let i = 0; i < packets; i += 1) pcm.set(decoder.decode(voice.next(0)), i * 960);
  decoder.free();
  return pcm;
}

/** Sign changes a second, halved: the frequency of a tone. */
function frequencyOf(pcm: Int16Array): number {
  let crossings = 0;
  for (let i = 1; i < pcm.length; i += 1) if (pcm[i - 1]! < 0 && pcm[i]! >= 0) crossings += 1;
  return crossings / (pcm.length / 48_000);
}

const loudest = (pcm: Int16Array): number =>
  pcm.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0);

describe("the phone's voice", () => {
  it("is a tone that does not end", async () => {
    const pcm = await listen(await createVoice({ type: "tone", frequencyHz: 440 }), 250);
    expect(frequencyOf(pcm.subarray(24_000))).toBeCloseTo(440, -1);
    expect(loudest(pcm.subarray(4.5 * 48_000))).toBeGreaterThan(5000);
  });

  it("is silence in packets, or no packets at all", async () => {
    expect(loudest(await listen(await createVoice({ type: "silence" }), 50))).toBeLessThan(5);
    expect((await createVoice({ type: "mute" })).next(0)).toBeNull();
  });

  it.each([
    [8000, 1],
    [16_000, 2],
    [44_100, 2],
    [48_000, 1],
  ])("is a file of %i Hz with %i channels, and silence after it", async (sampleRateHz, channels) => {
    const path = join(folder, `${sampleRateHz}.wav`);
    await writeFile(path, wav(sampleRateHz, channels, 1000, 300));
    const pcm = await listen(await createVoice({ type: "file", path }), 100);
    expect(frequencyOf(pcm.subarray(4800, 43_200))).toBeCloseTo(300, -1);
    expect(loudest(pcm.subarray(4800, 43_200))).toBeGreaterThan(6000);
    expect(loudest(pcm.subarray(57_600))).toBeLessThan(50);
  });

  it("is a file again and again if so wished", async () => {
    const voice = await createVoice({ type: "file", path: SPEECH, loop: true });
    const first = Array.from({ length: 161 }, () => voice.next(0));
    // 3.2 s are 160 packets, and the encoder's delay may take one more.
    expect(first.slice(160).concat(voice.next(0))).toContain(first[0]);
  });

  it("is a script of tones, pauses, PCM and files, each from a packet of its own on", async () => {
    const pcm = Int16Array.from(
      { length: 1600 },
      (_, i) => 8000 * Math.sin((2 * Math.PI * 1000 * i) / 16_000),
    );
    const parts = [
      { silenceMs: 195 },
      { tone: { frequencyHz: 300, durationMs: 400 } },
      { pcm, rateHz: 16_000 },
      { file: SPEECH },
    ];
    const voice = await createVoice({ type: "script", parts });
    const heard = await listen(voice, 200);
    expect(loudest(heard.subarray(0, 9600))).toBeLessThan(50);
    expect(frequencyOf(heard.subarray(10_800, 28_800))).toBeCloseTo(300, -1);
    expect(frequencyOf(heard.subarray(29_760, 33_600))).toBeCloseTo(1000, -2);
    expect(voice.spoken.map(({ kind }) => kind)).toEqual(["silence", "tone", "pcm", "file"]);
    // After the file: 10 packets of silence, 20 of the tone, 5 of PCM, 160 or 161 of the file.
    expect(loudest(heard.subarray(197 * 960))).toBeLessThan(50);
  });

  it("tells when its parts left, the first time round", async () => {
    const tone = { tone: { frequencyHz: 300, durationMs: 40 } };
    const voice = await createVoice({ type: "script", parts: [tone, { silenceMs: 60 }], loop: true });
    for (let slot = 0; slot < 20; slot += 1) voice.next(slot * 20);
    expect(voice.spoken).toEqual([
      { source: "voice", part: 0, kind: "tone", firstPacketAtMs: 0, lastPacketAtMs: 20 },
      { source: "voice", part: 1, kind: "silence", firstPacketAtMs: 40, lastPacketAtMs: 80 },
    ]);
  });

  it("takes about 20 kbit/s in wideband packets of 20 ms", async () => {
    const voice = await createVoice({ type: "file", path: SPEECH });
    let payloadBytes = 0;
    for (let i = 0; i < 150; i += 1) {
      const packet = voice.next(0)!;
      payloadBytes += packet.length;
      expect(packet[0]! >> 3).toBe(9);
    }
    expect((payloadBytes * 8) / 3).toBeGreaterThan(12_000);
    expect((payloadBytes * 8) / 3).toBeLessThan(26_000);
  });

  it("is encoded once and shared", async () => {
    const [one, two] = await Promise.all([
      createVoice({ type: "file", path: SPEECH }),
      createVoice({ type: "file", path: SPEECH }),
    ]);
    expect(one.next(0)).toBe(two.next(0));
  });

  it.each([
    ["is missing", null, "missing"],
    ["is no audio", Buffer.from("hello, this is no audio at all"), "not-audio"],
    ["has no sample in it", wav(8000, 1, 0, 300), "empty"],
  ])("refuses a file that %s", async (_name, content, reason) => {
    const path = join(folder, `${reason}.wav`);
    if (content !== null) await writeFile(path, content);
    await expect(createVoice({ type: "file", path })).rejects.toMatchObject({
      code: "MEDIA_FILE_UNUSABLE",
      details: { path, reason },
    });
  });

  it.each([0, 49, 7001, Number.NaN])("refuses a tone of %d Hz", async (frequencyHz) => {
    await expect(createVoice({ type: "tone", frequencyHz })).rejects.toMatchObject({
      code: "OPTION_INVALID",
    });
  });
});
