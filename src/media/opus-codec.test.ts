import { expect, test } from "vitest";
import { OpusDecoder, OpusEncoder } from "./opus-codec.ts";
import { OPUS_SILENCE } from "./silence.ts";

function tone(frame: number): Float32Array {
  return Float32Array.from(
    { length: 960 },
    (_, i) => 0.5 * Math.sin((2 * Math.PI * 440 * (frame * 960 + i)) / 48_000),
  );
}

function rms(samples: Float32Array): number {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
}

test("what is encoded decodes to the same loudness, 960 samples a packet", async () => {
  const encoder = await OpusEncoder.create();
  const decoder = await OpusDecoder.create();
  let last = new Float32Array();
  let bytes = 0;
  for (let frame = 0; frame < 50; frame += 1) {
    const packet = encoder.encode(tone(frame));
    bytes += packet.length;
    last = new Float32Array(decoder.decode(packet) ?? []);
  }
  expect(last).toHaveLength(960);
  expect(rms(last)).toBeCloseTo(0.5 / Math.SQRT2, 1);
  expect(bytes).toBeLessThan(50 * 120);
  encoder.close();
  decoder.close();
});

test("the silence packet is silent, also right after loud audio has faded out", async () => {
  const encoder = await OpusEncoder.create();
  const decoder = await OpusDecoder.create();
  expect(rms(decoder.decode(OPUS_SILENCE) ?? tone(0))).toBeLessThan(1e-30);
  for (let frame = 0; frame < 20; frame += 1) decoder.decode(encoder.encode(tone(frame)));
  // One packet is the overlap with what came before.
  decoder.decode(OPUS_SILENCE);
  for (let i = 0; i < 10; i += 1) {
    const samples = decoder.decode(OPUS_SILENCE);
    expect(samples).toHaveLength(960);
    expect(rms(samples ?? tone(0))).toBeLessThan(1e-4);
  }
  encoder.close();
  decoder.close();
});

test("bytes that are no Opus decode to null, and the decoder goes on", async () => {
  const decoder = await OpusDecoder.create();
  expect(decoder.decode(new Uint8Array())).toBeNull();
  expect(decoder.decode(Uint8Array.of(0xff, 0xff))).toBeNull();
  expect(decoder.decode(OPUS_SILENCE)).toHaveLength(960);
  decoder.close();
});
