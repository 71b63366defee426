import { describe, expect, it } from "vitest";
import { type PhoneSpeech, toSpeechParts } from "./speech.ts";

describe("a speech", () => {
  it("is one part, or several in order", () => {
    const tone = { tone: { frequencyHz: 440, durationMs: 500 } };
    expect(toSpeechParts(tone, "speech")).toEqual([tone]);
    expect(toSpeechParts([{ silenceMs: 20 }, tone], "speech")).toEqual([{ silenceMs: 20 }, tone]);
  });

  it.each<[PhoneSpeech, string]>([
    [[], "speech"],
    [Array.from({ length: 1001 }, () => ({ silenceMs: 20 })), "speech"],
    [{ silenceMs: 0 }, "speech.silenceMs"],
    [[{ silenceMs: 20 }, { silenceMs: Number.NaN }], "speech[1].silenceMs"],
    [[{ silenceMs: 600_000 }, { silenceMs: 20 }], "speech"],
    [{ tone: { frequencyHz: 49, durationMs: 100 } }, "speech.tone.frequencyHz"],
    [{ tone: { frequencyHz: 440, durationMs: -1 } }, "speech.tone.durationMs"],
    [{ pcm: new Int16Array(0), rateHz: 8000 }, "speech.pcm"],
    [{ pcm: new Int16Array(80), rateHz: 7999 }, "speech.rateHz"],
    [{ file: "" }, "speech.file"],
  ])("that cannot be said is refused: %#", (speech, option) => {
    expect(() => toSpeechParts(speech, "speech")).toThrowError(
      expect.objectContaining({ code: "OPTION_INVALID", details: { option } }),
    );
  });
});
