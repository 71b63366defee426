import fc from "fast-check";
import { expect, test } from "vitest";
import { Resampler } from "./resampler.ts";

function tone(rateHz: number, frequencyHz: number, seconds: number): Float32Array {
  const samples = new Float32Array(Math.round(rateHz * seconds));
  for (let i = 0; i < samples.length; i += 1) samples[i] = Math.sin((2 * Math.PI * frequencyHz * i) / rateHz);
  return samples;
}

function resample(
  input: Float32Array,
  inputRateHz: number,
  outputRateHz: number,
  chunkSamples = 1000,
): Float32Array {
  const resampler = new Resampler(inputRateHz, outputRateHz);
  const output: number[] = [];
  for (let i = 0; i < input.length; i += chunkSamples) {
    output.push(...resampler.process(input.subarray(i, i + chunkSamples)));
  }
  output.push(...resampler.flush());
  return Float32Array.from(output);
}

/** Worst difference from `expected` away from both ends, in dB below full scale. */
function errorDb(actual: Float32Array, expected: Float32Array, marginSamples: number): number {
  let worst = 0;
  for (let i = marginSamples; i < expected.length - marginSamples; i += 1) {
    worst = Math.max(worst, Math.abs((actual[i] ?? 0) - (expected[i] ?? 0)));
  }
  return 20 * Math.log10(worst);
}

test.each([8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 96_000, 192_000])(
  "a tone at %d Hz is the same tone at 48 kHz, of the same duration and in step",
  (rateHz) => {
    const output = resample(tone(rateHz, 1000, 0.4), rateHz, 48_000);
    const expected = tone(48_000, 1000, 0.4);
    expect(output.length).toBe(expected.length);
    expect(errorDb(output, expected, 2000)).toBeLessThan(-60);
  },
);

test("what a lower rate cannot hold is filtered out, not folded back", () => {
  const output = resample(tone(48_000, 7_000, 0.5), 48_000, 8_000);
  expect(errorDb(output, new Float32Array(output.length), 200)).toBeLessThan(-60);
});

test("images of a low rate's tone stay out of the higher rate", () => {
  const output = resample(tone(8_000, 3_000, 0.5), 8_000, 48_000);
  expect(errorDb(output, tone(48_000, 3_000, 0.5), 2000)).toBeLessThan(-60);
});

test("the chunks that the input comes in make no difference", () => {
  const input = tone(44_100, 440, 0.1);
  const whole = resample(input, 44_100, 48_000, input.length);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 700 }), (chunkSamples) => {
      expect(resample(input, 44_100, 48_000, chunkSamples)).toEqual(whole);
    }),
    { numRuns: 20 },
  );
});

test("a constant stays a constant", () => {
  const output = resample(new Float32Array(4000).fill(0.5), 44_100, 48_000);
  for (const sample of output.subarray(100, -100)) expect(sample).toBeCloseTo(0.5, 5);
});

test.each([
  [0, 48_000],
  [44_100.5, 48_000],
  [Number.NaN, 48_000],
  [1_000, 48_000],
  [48_000_000, 48_000],
])("the rates %d and %d are refused", (inputRateHz, outputRateHz) => {
  expect(() => new Resampler(inputRateHz, outputRateHz)).toThrow(RangeError);
});
