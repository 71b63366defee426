import { describe, expect, test } from "vitest";
import { SeededRandom } from "../../testing/seeded-random.ts";
import { ToneCheck } from "./tone-check.ts";

const RATE_HZ = 16_000;
const KEYS_LOW_HZ = [697, 770, 852, 941];
const KEYS_HIGH_HZ = [1209, 1336, 1477, 1633];

/** 20 ms of waves, each with its amplitude, -1 to 1. */
function mix(...waves: readonly (readonly [hz: number, amplitude: number])[]): Int16Array {
  return Int16Array.from({ length: 320 }, (_, i) =>
    waves.reduce(
      (sum, [hz, amplitude]) => sum + 32_767 * amplitude * Math.sin((2 * Math.PI * hz * i) / RATE_HZ + hz),
      0,
    ),
  );
}

const check = new ToneCheck();

test("every key is a tone, loud or quiet, also with one tone 8 dB below the other", () => {
  for (const low of KEYS_LOW_HZ) {
    for (const high of KEYS_HIGH_HZ) {
      expect(check.isTone(mix([low, 0.4], [high, 0.4]), 0)).toBe(true);
      expect(check.isTone(mix([low, 0.01], [high, 0.004]), 0)).toBe(true);
    }
  }
});

test.each([50, 60, 100, 400, 425, 440, 480, 1000, 1400, 2100])("%d Hz alone is a tone", (hz) => {
  expect(check.isTone(mix([hz, 0.3]), 0)).toBe(true);
});

describe("no tone is", () => {
  test.each([110, 150, 220, 300])("a voice with a pitch of %d Hz, its harmonics falling off", (hz) => {
    const harmonics = Array.from({ length: 12 }, (_, i) => [hz * (i + 1), 0.3 / (i + 1)] as const);
    expect(check.isTone(mix(...harmonics), 0)).toBe(false);
  });

  test("a hum with closed lips: only its pitch is heard", () => {
    expect(check.isTone(mix([200, 0.3], [400, 0.03]), 0)).toBe(false);
  });

  test("noise", () => {
    const random = new SeededRandom(1);
    for (let i = 0; i < 50; i += 1) {
      const noise = Int16Array.from({ length: 320 }, () => (random.fraction() - 0.5) * 20_000);
      expect(check.isTone(noise, 0)).toBe(false);
    }
  });

  test("silence", () => {
    expect(check.isTone(new Int16Array(320), 0)).toBe(false);
  });
});

test("it looks at the part asked for alone", () => {
  const samples = new Int16Array(960);
  samples.set(mix([1000, 0.3]), 640);
  expect(check.isTone(samples, 640)).toBe(true);
  expect(check.isTone(samples, 0)).toBe(false);
});
