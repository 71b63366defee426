import { afterEach, describe, expect, test } from "vitest";
import { OpusDecoder, OpusEncoder, type OpusRateHz, slotSamples } from "./opus-codec.ts";
import { OPUS_SILENCE } from "./silence.ts";

const RATES: readonly OpusRateHz[] = [8000, 16_000, 24_000, 48_000];

const open: { close(): void }[] = [];

afterEach(() => {
  for (const codec of open.splice(0)) codec.close();
});

async function createEncoder(rateHz: OpusRateHz = 48_000): Promise<OpusEncoder> {
  const encoder = await OpusEncoder.create({ rateHz });
  open.push(encoder);
  return encoder;
}

async function createDecoder(rateHz: OpusRateHz = 48_000): Promise<OpusDecoder> {
  const decoder = await OpusDecoder.create({ rateHz });
  open.push(decoder);
  return decoder;
}

/** 20 ms of 440 Hz, -1 to 1. */
function tone(frame: number, rateHz: OpusRateHz = 48_000): Float32Array {
  const length = slotSamples(rateHz);
  return Float32Array.from(
    { length },
    (_, i) => 0.5 * Math.sin((2 * Math.PI * 440 * (frame * length + i)) / rateHz),
  );
}

function toPcm16(samples: Float32Array): Int16Array {
  return Int16Array.from(samples, (sample) => sample * 32_767);
}

/** Of full scale. */
function rms(samples: Int16Array | null): number {
  if (samples === null) return Number.NaN;
  return Math.sqrt(samples.reduce((sum, sample) => sum + (sample / 32_768) ** 2, 0) / samples.length);
}

describe("what is encoded decodes to the same loudness, 20 ms a packet", () => {
  test.each(RATES)("from and to %d Hz, as floats and as 16 bits", async (rateHz) => {
    for (const convert of [(samples: Float32Array) => samples, toPcm16]) {
      const encoder = await createEncoder(rateHz);
      const decoder = await createDecoder(rateHz);
      let last: Int16Array | null = null;
      let bytes = 0;
      for (let frame = 0; frame < 50; frame += 1) {
        const packet = encoder.encode(convert(tone(frame, rateHz)));
        bytes += packet.length;
        last = decoder.decode(packet);
      }
      expect(last).toHaveLength(slotSamples(rateHz));
      expect(rms(last)).toBeCloseTo(0.5 / Math.SQRT2, 1);
      expect(bytes).toBeLessThan(50 * 120);
    }
  });

  test("to any rate, whatever it was encoded from", async () => {
    const encoder = await createEncoder(24_000);
    const decoders = await Promise.all(RATES.map((rateHz) => createDecoder(rateHz)));
    for (let frame = 0; frame < 20; frame += 1) {
      const packet = encoder.encode(tone(frame, 24_000));
      const decoded = decoders.map((decoder) => decoder.decode(packet));
      expect(decoded.map((samples) => samples?.length)).toEqual(RATES.map(slotSamples));
      if (frame < 5) continue;
      for (const samples of decoded) expect(rms(samples)).toBeCloseTo(0.5 / Math.SQRT2, 1);
    }
  });
});

test("the silence packet is silent, also right after loud audio has faded out", async () => {
  const encoder = await createEncoder();
  const decoder = await createDecoder();
  expect(rms(decoder.decode(OPUS_SILENCE))).toBe(0);
  for (let frame = 0; frame < 20; frame += 1) decoder.decode(encoder.encode(tone(frame)));
  // One packet is the overlap with what came before.
  decoder.decode(OPUS_SILENCE);
  for (let i = 0; i < 10; i += 1) {
    const samples = decoder.decode(OPUS_SILENCE);
    expect(samples).toHaveLength(960);
    expect(rms(samples)).toBeLessThan(1e-4);
  }
});

test("bytes that are no Opus decode to null, and the decoder goes on", async () => {
  const decoder = await createDecoder();
  expect(decoder.decode(new Uint8Array())).toBeNull();
  expect(decoder.decode(Uint8Array.of(0xff, 0xff))).toBeNull();
  expect(decoder.restore(new Uint8Array(), 960)).toBeNull();
  expect(decoder.restore(Uint8Array.of(0xff, 0xff), 960)).toBeNull();
  expect(decoder.decode(OPUS_SILENCE)).toHaveLength(960);
});

test.each(RATES)("what is missing at %d Hz is concealed at about the loudness before it", async (rateHz) => {
  const encoder = await createEncoder(rateHz);
  const decoder = await createDecoder(rateHz);
  for (let frame = 0; frame < 20; frame += 1) decoder.decode(encoder.encode(tone(frame, rateHz)));
  const concealed = decoder.conceal(slotSamples(rateHz));
  expect(concealed).toHaveLength(slotSamples(rateHz));
  expect(rms(concealed)).toBeGreaterThan(0.1);
  expect(decoder.conceal(slotSamples(rateHz) / 8)).toHaveLength(slotSamples(rateHz) / 8);
});

test("a codec's own misuse throws", async () => {
  const encoder = await createEncoder();
  expect(() => encoder.encode(new Int16Array(100))).toThrow(RangeError);
  const decoder = await OpusDecoder.create();
  decoder.close();
  expect(() => decoder.decode(OPUS_SILENCE)).toThrow("freed");
});

test("once libopus is loaded, a codec is there before the event loop turns", async () => {
  await createDecoder();
  let hasTurned = false;
  setImmediate(() => {
    hasTurned = true;
  });
  await createDecoder(16_000);
  await createEncoder(24_000);
  expect(hasTurned).toBe(false);
});
