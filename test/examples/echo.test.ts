import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";
import { echo } from "../../examples/echo.ts";
import { compareAudio } from "../../src/core/audio/similarity.ts";
import { hangUpAt, startExample, toneAt } from "./example-rig.ts";

vi.setConfig({ testTimeout: 60_000 });

const SPEECH = fileURLToPath(new URL("../fixtures/audio/speech-workshop.ogg", import.meta.url));

test("what the caller says comes back, understandable and soon, until the caller hangs up", async () => {
  await using rig = await startExample(echo);
  const phone = await rig.dial();
  await phone.say([{ silenceMs: 500 }, { file: SPEECH }, { silenceMs: 1_000 }]);
  phone.hangUp();
  const report = await phone.ended;
  const { similarity, offsetMs } = compareAudio(report.sentPcm(), report.heardPcm(), report.sampleRateHz);
  expect(similarity).toBeGreaterThan(0.85);
  const laterMs = offsetMs + (report.heardStartMs ?? 0) - (report.sentStartMs ?? 0);
  expect(laterMs).toBeGreaterThan(0);
  // A program that is held up has what it missed in its queue from then on: up to a second.
  expect(laterMs).toBeLessThan(1_500);
  expect(report.endedBy).toBe("caller");
  expect(rig.complaints).toEqual([]);
});

test("a caller may hang up before anything was said, and while their own words come back", async () => {
  await using rig = await startExample(echo);
  await hangUpAt(rig, [
    async () => {},
    async (phone) => {
      const saying = phone.say({ tone: { frequencyHz: 700, durationMs: 5_000 } });
      await toneAt(phone, 700);
      phone.hangUp();
      await saying;
    },
  ]);
});
