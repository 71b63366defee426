import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RecordingResult } from "../../src/index.ts";
import type { PhoneCall } from "../../src/simulator/index.ts";
import { loadSpeech } from "../support/opus-stream.ts";
import { channelsOfWav } from "../support/recorded-call.ts";
import { ffmpeg, opusdec, soundsIn } from "./decoded-recording.ts";
import { startTalking, type TalkingPair, talkFor } from "./talking-pair.ts";

const decoder = [opusdec, ffmpeg].find(({ isMissing }) => !isMissing) ?? null;
if (decoder === null) console.warn("skipped: what is in messages: opus-tools and ffmpeg are not installed");

const BEEP_HZ = 1_000;
const tone = (frequencyHz: number, durationMs: number) => ({ tone: { frequencyHz, durationMs } }) as const;

let folder = "";
let talking: TalkingPair;
/** Three seconds of speech, 48 kHz. */
let speech: Int16Array;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "ringback-call-message-"));
  talking = await startTalking({ recordingsFolder: folder });
  const samples = (await loadSpeech()).subarray(24_000, 168_000);
  speech = Int16Array.from(samples, (sample) => sample * 32_767);
}, 30_000);
afterAll(async () => {
  await talking[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** When the last of it was said, on the clock of the test. */
function lastWordAtMs(phone: PhoneCall): number {
  const end = soundsIn(phone.media.sentPcm()).at(-1)?.[1] ?? Number.NaN;
  return (phone.media.sentStartMs ?? 0) + end;
}

describe("a message", { retry: 2, timeout: 30_000 }, () => {
  test("ends after a silence: counted from the caller's last word, or from its beginning", async () => {
    const { call, phone } = await talking.connect();
    const recording = call.record({ consent: "none", endOnSilenceMs: 1_500, format: "wav" });
    const beepAtMs = await phone.waitForTone(BEEP_HZ);
    expect(beepAtMs).not.toBeNull();
    await phone.hears({ type: "quiet", forMs: 100 });
    await phone.say({ pcm: speech, rateHz: 48_000 });
    const result = await recording;
    const endedAtMs = performance.now();
    expect(result).toMatchObject({ status: "completed", endedBy: "silence" });
    const lateMs = endedAtMs - (lastWordAtMs(phone) + 1_500);
    expect(Math.abs(lateMs)).toBeLessThan(300);
    // The beep was the caller's to hear; it is not in what the caller said.
    const [samples = new Int16Array()] = await channelsOfWav(result.files[0]?.path ?? "");
    expect(soundsIn(samples)[0]?.[0]).toBeGreaterThan(100);
    expect(Math.abs(samples.length / 48 - result.durationMs)).toBeLessThan(1);

    const silent = await call.record({ consent: "none", endOnSilenceMs: 500, beep: false });
    expect(silent.endedBy).toBe("silence");
    expect(Math.abs(silent.durationMs - 500)).toBeLessThan(100);
    phone.hangUp();
    await phone.ended;
  });

  test("ends by its key, its longest time, its signal, and the end of the call", async () => {
    const { call, phone } = await talking.connect({ voice: { type: "tone", frequencyHz: 700 } });
    const keyed = call.record({ consent: "none", finishOnKey: "5", channels: "both" });
    await phone.waitForTone(BEEP_HZ);
    await phone.hears({ type: "quiet", forMs: 300 });
    await phone.sendDigits("1");
    await phone.sendDigits("5");
    const byKey = await keyed;
    expect(byKey).toMatchObject({ status: "completed", endedBy: "finish-key" });
    expect((await call.gather({ timeoutMs: 100 })).outcome).toBe("timeout");
    // The beep is before the recording also for those who record both sides.
    const [left, right] = (await decoder?.decode(byKey.files[0]?.path ?? "")) ?? [];
    if (left !== undefined) expect(soundsIn(left).length).toBeGreaterThan(0);
    if (right !== undefined) expect(soundsIn(right)).toEqual([]);

    const longest = await call.record({ consent: "none", beep: false, maxMs: 700 });
    expect(longest).toMatchObject({ status: "completed", endedBy: "max-duration" });
    expect(Math.abs(longest.durationMs - 700)).toBeLessThan(60);

    const abort = new AbortController();
    const aborted = call.record({ consent: "none", beep: false, signal: abort.signal });
    await talkFor(500);
    abort.abort();
    expect(await aborted).toMatchObject({ status: "completed", endedBy: "aborted" });

    const last = call.record({ consent: "none", beep: false });
    await talkFor(700);
    phone.hangUp();
    const byHangUp = await last;
    expect(byHangUp).toMatchObject({ status: "completed", endedBy: "call-ended" });
    expect(byHangUp.durationMs).toBeGreaterThan(600);
    await phone.ended;
  });
});

describe("consent", () => {
  test("is announced in full, or asked for by a key, before anything is recorded", async () => {
    const { call, phone } = await talking.connect({ voice: { type: "tone", frequencyHz: 700 } });
    const told = { beep: false, maxMs: 400, channels: "both", announcement: tone(500, 600) } as const;
    const beforeMs = Date.now();
    const announced = await call.record({ consent: "announce", ...told });
    expect(announced).toMatchObject({ status: "completed", consent: { state: "announced", digit: null } });
    expect((announced.consent.atMs ?? 0) - beforeMs).toBeGreaterThanOrEqual(600);
    const [, right] = (await decoder?.decode(announced.files[0]?.path ?? "")) ?? [];
    if (right !== undefined) expect(soundsIn(right)).toEqual([]);

    /** The caller answers as soon as the question is heard. */
    const answer = async (key: string): Promise<RecordingResult> => {
      const recording = call.record({ consent: "dtmf", ...told });
      await phone.waitForTone(500);
      await phone.sendDigits(key);
      return recording;
    };
    expect(await answer("1")).toMatchObject({
      status: "completed",
      endedBy: "max-duration",
      consent: { mode: "dtmf", state: "given", digit: "1" },
    });
    expect(await answer("2")).toMatchObject({
      status: "absent",
      endedBy: "declined",
      files: [],
      consent: { mode: "dtmf", state: "declined", digit: "2" },
    });
    const asked = call.record({ consent: "dtmf", ...told });
    await phone.waitForTone(500);
    phone.hangUp();
    expect(await asked).toMatchObject({
      status: "absent",
      endedBy: "call-ended",
      consent: { state: "not-asked" },
    });
    await phone.ended;
  }, 30_000);
});
