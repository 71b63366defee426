import { expect, test } from "vitest";
import { OpusDecoder, OpusEncoder } from "./opus-codec.ts";
import { OPUS_SILENCE } from "./silence.ts";

const SAMPLE_RATE_HZ = 48_000;
const SLOT = 960;

/** A decoder's output of half a second of sound that is cut off for silence, and where. */
async function cutOff(sampleAt: (second: number) => number): Promise<{ heard: Int16Array; cut: number }> {
  const encoder = await OpusEncoder.create({ complexity: 10 });
  const decoder = await OpusDecoder.create();
  const heard: number[] = [];
  for (let slot = 0; slot < 25; slot += 1) {
    const samples = Float32Array.from({ length: SLOT }, (_, i) =>
      sampleAt((slot * SLOT + i) / SAMPLE_RATE_HZ),
    );
    heard.push(...(decoder.decode(encoder.encode(samples)) ?? []));
  }
  const cut = heard.length;
  for (let slot = 0; slot < 5; slot += 1) heard.push(...(decoder.decode(OPUS_SILENCE) ?? []));
  encoder.close();
  decoder.close();
  return { heard: Int16Array.from(heard), cut };
}

function largestStep(samples: Int16Array): number {
  let largest = 0;
  for (let i = 1; i < samples.length; i += 1) {
    largest = Math.max(largest, Math.abs((samples[i] ?? 0) - (samples[i - 1] ?? 0)));
  }
  return largest;
}

test.each([440, 1_000, 300])(
  "%i Hz that is cut off dies away within 5 ms, without a step",
  async (frequencyHz) => {
    const { heard, cut } = await cutOff((second) => 0.35 * Math.sin(2 * Math.PI * frequencyHz * second));
    expect(largestStep(heard.subarray(cut - 1))).toBeLessThanOrEqual(
      largestStep(heard.subarray(cut - 9_600, cut)),
    );
    const rest = heard.subarray(cut + SAMPLE_RATE_HZ / 200);
    expect(Math.max(...rest.map(Math.abs))).toBeLessThan(400);
  },
);
