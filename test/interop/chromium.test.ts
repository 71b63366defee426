import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { serializeWav } from "../../src/core/audio/wav.ts";
import { AnsweringCall, toneFrequencyHz } from "./answering-call.ts";
import { ChromiumCaller } from "./chromium-caller.ts";
import { isChromiumInstalled } from "./chromium-pipe.ts";

if (!isChromiumInstalled()) console.warn("skipped: Chromium is not installed (Debian package chromium)");

const PROMPT_HZ = 1_000;
const PROMPT_LEVEL = 0.25;

function toneFile(path: string): string {
  const samples = Int16Array.from(
    { length: 96_000 },
    (_, i) => PROMPT_LEVEL * 32_767 * Math.sin((2 * Math.PI * PROMPT_HZ * i) / 48_000),
  );
  writeFileSync(path, serializeWav({ sampleRateHz: 48_000, channelCount: 1, samples }));
  return path;
}

test.skipIf(!isChromiumInstalled())(
  "a caller in Chromium hears the prompt, is heard, and its keys are digits",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "ringback-"));
    try {
      await using caller = await ChromiumCaller.call();
      await using call = await AnsweringCall.open(caller.offer, toneFile(join(folder, "tone.wav")), {
        bindAddress: "127.0.0.1",
      });
      await caller.take(call.answer);
      call.connect();

      await vi.waitFor(
        async () => {
          const { dominantHz, packetsReceived } = await caller.heard();
          expect(Math.abs(dominantHz - PROMPT_HZ)).toBeLessThan(10);
          expect(packetsReceived).toBeGreaterThan(150);
        },
        { timeout: 20_000, interval: 200 },
      );
      expect(await toneFrequencyHz(call.packets)).toBeCloseTo(440, -1);

      await caller.press("14*#");
      await vi.waitFor(() => expect(call.digits).toHaveLength(4), { timeout: 10_000 });
      expect(call.digits.map(({ digit }) => digit).join("")).toBe("14*#");
      for (const { durationMs } of call.digits) expect(durationMs).toBeGreaterThanOrEqual(100);

      const heard = await caller.heard();
      // The statistics' energy is the square of the level, summed up over time: as loud as the file.
      const level = Math.sqrt((heard.totalAudioEnergy * 48_000) / heard.totalSamplesReceived);
      expect(level).toBeCloseTo(PROMPT_LEVEL, 1);
      expect(heard.packetsLost).toBe(0);
      expect(call.stats().received).toMatchObject({ packetsLost: 0, ssrcChanges: 0 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
  60_000,
);
