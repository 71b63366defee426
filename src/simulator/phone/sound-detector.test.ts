import { describe, expect, it } from "vitest";
import { SeededRandom } from "../../core/seeded-random.ts";
import { QuietDetector } from "./quiet-detector.ts";
import { type PhoneSound, SoundDetector } from "./sound-detector.ts";

const PACKET_SAMPLES = 960;

/** A piece of audio: nothing, a tone, or noise as loud as speech. */
type Piece = { readonly ms: number; readonly hz?: number; readonly noise?: true };

function render(pieces: readonly Piece[]): Int16Array {
  const random = new SeededRandom(5);
  const samples: number[] = [];
  for (const { ms, hz, noise } of pieces) {
    for (let i = 0; i < ms * 48; i += 1) {
      const tone = hz === undefined ? 0 : 8000 * Math.sin((2 * Math.PI * hz * i) / 48_000);
      samples.push(tone + (noise === true ? (random.fraction() - 0.5) * 8000 : 0));
    }
  }
  return Int16Array.from(samples);
}

/** Feeds audio in packets that arrive every 20 ms from `startMs` on. */
function feed(
  detector: { add(pcm: Int16Array, positionMs: number, atMs: number): void },
  pcm: Int16Array,
  startMs = 0,
): void {
  for (let start = 0; start < pcm.length; start += PACKET_SAMPLES) {
    detector.add(pcm.subarray(start, start + PACKET_SAMPLES), start / 48, startMs + start / 48);
  }
}

function spansOf(sound: PhoneSound, pieces: readonly Piece[], startMs = 0) {
  const detector = new SoundDetector(sound);
  feed(detector, render(pieces), startMs);
  return detector.spans;
}

describe("a sound that is looked for", () => {
  it.each([60, 200, 440, 1000, 3400, 7000])("is a tone of %i Hz, 5 ms fine", (frequencyHz) => {
    const [span, ...more] = spansOf(
      { type: "tone", frequencyHz },
      [{ ms: 200 }, { ms: 300, hz: frequencyHz }, { ms: 200 }],
      10_000,
    );
    expect(more).toEqual([]);
    // A low tone needs two periods to be seen.
    const fineMs = Math.max(5, 2000 / frequencyHz);
    expect(Math.abs(span!.startedAtMs - 10_200)).toBeLessThanOrEqual(fineMs);
    expect(Math.abs(span!.endedAtMs - 10_500)).toBeLessThanOrEqual(fineMs);
  });

  it("is found each time", () => {
    const beep = { ms: 100, hz: 600 };
    const spans = spansOf({ type: "tone", frequencyHz: 600 }, [beep, { ms: 100 }, beep, { ms: 100 }, beep]);
    expect(spans.map(({ startedAtMs }) => startedAtMs)).toEqual([0, 200, 400]);
  });

  it("is not another tone, nor noise, nor shorter than 40 ms", () => {
    const sound = { type: "tone", frequencyHz: 440 } as const;
    expect(spansOf(sound, [{ ms: 500, hz: 600 }])).toEqual([]);
    expect(spansOf(sound, [{ ms: 500, hz: 300 }])).toEqual([]);
    expect(spansOf(sound, [{ ms: 2000, noise: true }])).toEqual([]);
    expect(spansOf(sound, [{ ms: 30, hz: 440 }, { ms: 100 }])).toEqual([]);
  });

  it("is heard over a hole of three packets as one", () => {
    const pieces = [{ ms: 100, hz: 600 }, { ms: 60 }, { ms: 100, hz: 600 }];
    expect(spansOf({ type: "tone", frequencyHz: 600 }, pieces)).toEqual([{ startedAtMs: 0, endedAtMs: 260 }]);
  });

  it("is any sound that is loud enough", () => {
    const pieces = [{ ms: 100 }, { ms: 200, noise: true as const }, { ms: 100 }];
    expect(spansOf({ type: "sound" }, pieces)).toEqual([{ startedAtMs: 100, endedAtMs: 300 }]);
    expect(spansOf({ type: "sound", louderThanDbfs: -5 }, pieces)).toEqual([]);
  });

  it("counts as heard when its packet arrived", () => {
    const detector = new SoundDetector({ type: "tone", frequencyHz: 440 });
    const pcm = render([{ ms: 100, hz: 440 }]);
    for (let i = 0; i < 5; i += 1) {
      const lateMs = i === 4 ? 70 : 0;
      detector.add(pcm.subarray(i * 960, (i + 1) * 960), i * 20, 1000 + i * 20 + lateMs);
    }
    expect(detector.spans).toEqual([{ startedAtMs: 1000, endedAtMs: 1170 }]);
  });

  it.each([
    [{ type: "tone", frequencyHz: 49 }, "frequencyHz"],
    [{ type: "tone", frequencyHz: Number.NaN }, "frequencyHz"],
    [{ type: "sound", louderThanDbfs: 1 }, "louderThanDbfs"],
  ] as const)("is refused when it is out of range: %o", (sound, option) => {
    expect(() => new SoundDetector(sound)).toThrowError(
      expect.objectContaining({ code: "OPTION_INVALID", details: { option } }),
    );
  });
});

describe("quiet that is waited for", () => {
  it("begins with the last sound", () => {
    const detector = new QuietDetector({ type: "quiet", forMs: 200 });
    feed(detector, render([{ ms: 100, hz: 440 }, { ms: 150 }, { ms: 100, hz: 440 }]));
    expect(detector.heardAtMs).toBeNull();
    const later = render([{ ms: 240 }]);
    feed(detector, later, 350);
    expect(detector.heardAtMs).toBe(350);
  });

  it.each([0, 19, 60_001, Number.NaN])("is not of %d ms", (forMs) => {
    expect(() => new QuietDetector({ type: "quiet", forMs })).toThrowError(
      expect.objectContaining({ code: "OPTION_INVALID", details: { option: "forMs" } }),
    );
  });
});
