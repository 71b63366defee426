import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type SpeechNews, VoiceActivity, type VoiceActivityOptions } from "./voice-activity.ts";

/** One call's frames of 10 ms, one after the other. */
class Frames {
  readonly activity: VoiceActivity;
  readonly news: SpeechNews[] = [];
  nowMs = 0;

  constructor(options?: VoiceActivityOptions) {
    this.activity = new VoiceActivity(options);
  }

  /** `V` is voice, `.` is none; each 10 ms of this level. */
  feed(pattern: string, levelDbfs = -25): this {
    for (const letter of pattern) {
      const isVoice = letter === "V";
      this.#take(this.activity.frame(isVoice, isVoice ? levelDbfs : -70, this.nowMs));
      this.nowMs += 10;
    }
    return this;
  }

  /** What the detector takes for voice throughout, at these levels. */
  levels(...levels: readonly number[]): this {
    for (const level of levels) this.feed("V", level);
    return this;
  }

  tick(nowMs: number): this {
    this.nowMs = nowMs;
    this.#take(this.activity.tick(nowMs));
    return this;
  }

  #take(news: SpeechNews | null): void {
    if (news !== null) this.news.push(news);
  }
}

const silence = (ms: number) => ".".repeat(ms / 10);
const voice = (ms: number) => "V".repeat(ms / 10);

describe("a start", () => {
  test("is told with the third voiced frame, at the time of the first", () => {
    const frames = new Frames().feed(`${silence(500)}VV`);
    expect(frames.news).toEqual([]);
    frames.feed("V");
    expect(frames.news).toEqual([{ type: "start", atMs: 500 }]);
    expect(frames.activity.isSpeaking).toBe(true);
  });

  test("may have one frame without voice in it, not two", () => {
    expect(new Frames().feed(`${silence(100)}VV.V`).news).toEqual([{ type: "start", atMs: 100 }]);
    expect(new Frames().feed(`${silence(100)}VV..V..VV..V`).news).toEqual([]);
  });

  test.each([
    [10, "V"],
    [60, "VVVVVV"],
    [200, voice(200)],
  ])("takes %d ms of voice, if so set", (minVoicedMs, pattern) => {
    const frames = new Frames({ minVoicedMs }).feed(silence(500)).feed(pattern.slice(1));
    expect(frames.news).toEqual([]);
    expect(frames.feed("V").news).toEqual([{ type: "start", atMs: 500 }]);
  });

  test("is told once", () => {
    expect(new Frames().feed(silence(100)).feed(voice(3000)).news).toHaveLength(1);
  });
});

describe("no start is made by", () => {
  test("what is quieter than the least level", () => {
    const frames = new Frames().feed(silence(2000)).feed(voice(200), -55);
    expect(frames.news).toEqual([]);
    expect(new Frames({ minLevelDbfs: -60 }).feed(silence(2000)).feed(voice(200), -55).news).toHaveLength(1);
  });

  test("the noise that a call begins with", () => {
    expect(new Frames().feed(voice(5000), -42).news).toEqual([]);
  });

  test("what falls off: a click or a knock, and what the detector hears behind it", () => {
    const frames = new Frames().feed(silence(500));
    frames.levels(-12, -20, -32, -40, -48, -55, -60).feed(silence(300));
    frames.levels(-30, -20, -26, -32, -38, -44, -50);
    expect(frames.news).toEqual([]);
  });

  test("a tone, its end, or what lay before it", () => {
    const frames = new Frames().feed(silence(500)).feed("VV");
    for (let packet = 0; packet < 5; packet += 1) {
      frames.activity.tone();
      frames.feed("VV");
    }
    expect(frames.feed("VV").feed(silence(100)).news).toEqual([]);
    expect(frames.feed("VVV").news).toHaveLength(1);
  });

  test("voice on both sides of a pause in which nothing is sent", () => {
    const frames = new Frames().feed(silence(500)).feed("VV");
    frames.activity.pause();
    expect(frames.feed("VV").news).toEqual([]);
  });
});

describe("speech over noise", () => {
  test("is heard when it is 6 dB louder", () => {
    const frames = new Frames().feed(voice(20_000), -38);
    const before = frames.news.length;
    frames.feed(voice(100), -36);
    expect(frames.news).toHaveLength(before);
    frames.feed(voice(100), -30);
    expect(frames.news.at(-1)?.type).toBe("start");
  });

  test("noise that begins is taken for speech until it is known, and not again", () => {
    const frames = new Frames().feed(silence(3000)).feed(voice(20_000), -35);
    expect(frames.news.map(({ type }) => type)).toEqual(["start", "end"]);
    expect(frames.news[1]?.atMs).toBeLessThan(8000);
  });
});

describe("an end", () => {
  test("is told after 500 ms without voice, at the time of the last", () => {
    const frames = new Frames().feed(silence(100)).feed(voice(1000)).feed(silence(490));
    expect(frames.news).toHaveLength(1);
    frames.feed(".");
    expect(frames.news[1]).toEqual({ type: "end", atMs: 1100 });
    expect(frames.activity.isSpeaking).toBe(false);
    expect(frames.activity.lastVoiceMs).toBe(1100);
  });

  test("is not made by shorter pauses", () => {
    const frames = new Frames().feed(silence(100));
    for (let word = 0; word < 5; word += 1) frames.feed(voice(200)).feed(silence(450));
    expect(frames.news).toHaveLength(1);
  });

  test("comes with the time alone, when frames do not", () => {
    const frames = new Frames({ endSilenceMs: 300 }).feed(silence(100)).feed(voice(100));
    expect(frames.tick(499).news).toHaveLength(1);
    expect(frames.tick(500).news[1]).toEqual({ type: "end", atMs: 200 });
    expect(frames.tick(5000).news).toHaveLength(2);
  });

  test("is followed by the next start", () => {
    const frames = new Frames().feed(silence(100)).feed(voice(100)).feed(silence(600)).feed(voice(100));
    expect(frames.news.map(({ type }) => type)).toEqual(["start", "end", "start"]);
  });
});

test("without any voice there is no last one", () => {
  expect(new Frames().feed(silence(100)).activity.lastVoiceMs).toBe(Number.NEGATIVE_INFINITY);
});

test("whatever comes, starts and ends alternate, and none lies in the future or before the one before it", () => {
  const step = fc.record({
    isVoice: fc.boolean(),
    levelDbfs: fc.integer({ min: -100, max: 0 }),
    gapMs: fc.constantFrom(0, 0, 0, 0, 10, 700),
    what: fc.constantFrom("frame", "frame", "frame", "frame", "frame", "tone", "pause", "tick"),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), fc.integer({ min: 1, max: 20 }), (steps, frames) => {
      const activity = new VoiceActivity({ minVoicedMs: frames * 10 });
      let nowMs = 0;
      let last: SpeechNews = { type: "end", atMs: 0 };
      for (const { isVoice, levelDbfs, gapMs, what } of steps) {
        nowMs += gapMs;
        if (what === "tone") activity.tone();
        if (what === "pause") activity.pause();
        if (what === "tick" || what === "frame") {
          const news = what === "tick" ? activity.tick(nowMs) : activity.frame(isVoice, levelDbfs, nowMs);
          if (what === "frame") nowMs += 10;
          if (news === null) continue;
          expect(news.type).not.toBe(last.type);
          expect(news.atMs).toBeGreaterThanOrEqual(last.atMs);
          expect(news.atMs).toBeLessThanOrEqual(nowMs);
          last = news;
        }
        expect(activity.isSpeaking).toBe(last.type === "start");
      }
    }),
    { numRuns: 300 },
  );
});
