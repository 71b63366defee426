import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compareAudio } from "../../src/core/audio/similarity.ts";
import type { RecordedFile, RecordingResult } from "../../src/index.ts";
import type { PhoneCallReport, PhoneNetwork } from "../../src/simulator/index.ts";
import { channelsOfWav, type Speech, speechOf } from "../support/recorded-call.ts";
import { type Decoder, ffmpeg, isMissing, levelsOf, locate, opusdec, soundsIn } from "./decoded-recording.ts";
import { until } from "./fixture.ts";
import { startTalking, type TalkingPair, talkFor } from "./talking-pair.ts";

const audio = (name: string): string => fileURLToPath(new URL(`../fixtures/audio/${name}`, import.meta.url));
const CALLER = "speech-workshop.ogg";
const BUSINESS = "speech-parcel.ogg";
const tone = (frequencyHz: number, durationMs: number) => ({ tone: { frequencyHz, durationMs } }) as const;
/** A slot at each end, and the way of the order to the thread that records. */
const LENGTH_TOLERANCE_MS = 50;

const decoders: readonly Decoder[] = [opusdec, ffmpeg].filter((decoder) => !decoder.isMissing);
for (const { name, debianPackage } of [opusdec, ffmpeg].filter((decoder) => decoder.isMissing)) {
  console.warn(`skipped: recordings of calls in ${name}: ${debianPackage} is not installed`);
}

let folder = "";
let talking: TalkingPair;
let caller: Speech;
let business: Speech;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "ringback-call-recording-"));
  [caller, business] = [await speechOf(CALLER), await speechOf(BUSINESS)];
  talking = await startTalking({ recordingsFolder: join(folder, "recordings") });
  await talking.pair.gateway.preload(audio(BUSINESS));
}, 30_000);
afterAll(async () => {
  await talking[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

function onlyFile({ files }: RecordingResult): RecordedFile {
  const [file] = files;
  if (file === undefined || files.length > 1) throw new Error(`${files.length} files`);
  return file;
}

/** What is said of a file is so. */
function expectFacts(result: RecordingResult): void {
  expect(result).toMatchObject({ status: "completed", error: null });
  for (const { path, bytes, sha256 } of result.files) {
    expect(statSync(path).size).toBe(bytes);
    expect(createHash("sha256").update(readFileSync(path)).digest("hex")).toBe(sha256);
  }
}

/** A call in which both speak, and each sends a burst of a tone later on. */
async function recordConversation(network?: PhoneNetwork) {
  const { call, phone } = await talking.connect(network === undefined ? {} : { network });
  await talkFor(300);
  const recording = call.startRecording({ consent: "none" });
  const startedAtMs = performance.now();
  const saying = phone.say([{ silenceMs: 200 }, { file: audio(CALLER) }, { silenceMs: 500 }, tone(600, 300)]);
  const parts = [
    { silenceMs: 700 },
    audio(BUSINESS),
    { silenceMs: 600 },
    tone(1_000, 300),
    { silenceMs: 400 },
  ];
  await Promise.all([saying, call.play(parts)]);
  const result = await recording.stop();
  const recordedMs = performance.now() - startedAtMs;
  phone.hangUp();
  return { result, recordedMs, report: await phone.ended };
}

/** When the file begins, on the phone's axis of time: by what the caller said, and by what the caller heard. */
function beginnings(report: PhoneCallReport, left: Int16Array, right: Int16Array) {
  const { sentStartMs, heardStartMs } = report;
  if (sentStartMs === null || heardStartMs === null) throw new Error("nothing was said or heard");
  const [sent, heard] = [report.sentPcm(), report.heardPcm()];
  // The burst is the last sound of each.
  const said = locate(sent, left, endOf(left) - endOf(sent));
  const played = locate(heard, right, endOf(right) - endOf(heard));
  return {
    left: { correlation: said.correlation, startMs: sentStartMs - said.offsetMs },
    right: { correlation: played.correlation, startMs: heardStartMs - played.offsetMs },
  };
}

const endOf = (samples: Int16Array): number => soundsIn(samples).at(-1)?.[1] ?? Number.NaN;
const beginOf = (samples: Int16Array): number => soundsIn(samples).at(-1)?.[0] ?? Number.NaN;

// Other programs on a busy machine hold up the phone or the media now and then.
const realTime = { retry: 2, timeout: 40_000 } as const;

describe.skipIf(decoders.length === 0)("the whole call, in stereo", realTime, () => {
  test.each([
    ["as it was", undefined, 0.99],
    [
      "with 5 % lost and 60 ms of jitter both ways",
      { seed: 11, toBusiness: { lossPercent: 5, jitterMs: 60 }, toPhone: { lossPercent: 5, jitterMs: 60 } },
      0.9,
    ],
  ] as const)(
    "%s: each side in its channel, as long and as far apart as in the call",
    async (_, network, least) => {
      const { result, recordedMs, report } = await recordConversation(network);
      expectFacts(result);
      expect(Math.abs(result.durationMs - recordedMs)).toBeLessThan(LENGTH_TOLERANCE_MS);
      for (const decoder of decoders) {
        const [left = new Int16Array(), right = new Int16Array()] = await decoder.decode(
          onlyFile(result).path,
        );
        expect(left.length / 48).toBe(result.durationMs);
        const begin = beginnings(report, left, right);
        expect(begin.left.correlation).toBeGreaterThan(least);
        expect(begin.right.correlation).toBeGreaterThan(least);
        expect(Math.abs(begin.left.startMs - begin.right.startMs)).toBeLessThan(20);
        expect(compareAudio(caller.samples, left, 48_000).similarity).toBeGreaterThan(0.9);
        expect(compareAudio(business.samples, right, 48_000).similarity).toBeGreaterThan(0.9);
        // From the burst that the phone says to the one that it hears.
        const [sent, heard] = [report.sentPcm(), report.heardPcm()];
        const inCall =
          beginOf(heard) + (report.heardStartMs ?? 0) - beginOf(sent) - (report.sentStartMs ?? 0);
        expect(Math.abs(beginOf(right) - beginOf(left) - inCall)).toBeLessThan(20);
      }
      expect(result.concealedMs > 0).toBe(network !== undefined);
    },
  );
});

describe.skipIf(decoders.length === 0)("several recordings of one call", realTime, () => {
  test("are independent: one pauses, one has two files, one is a trimmed WAV file of the caller", async () => {
    const [decoder] = decoders;
    // A second try finds no files of the first.
    const own = mkdtempSync(join(folder, "several-"));
    const { call, phone } = await talking.connect();
    const stereo = call.startRecording({ consent: "none", file: join(own, "pause.opus") });
    const files = call.startRecording({ consent: "none", layout: "files", file: join(own, "two.opus") });
    const wav = { channels: "caller", format: "wav", trim: true } as const;
    const trimmed = call.startRecording({ consent: "none", ...wav, file: join(own, "message.wav") });
    const fourth = await call.startRecording({ consent: "none" }).finished;
    expect(fourth).toMatchObject({ status: "failed", endedBy: "failed", files: [] });
    expect(fourth.error?.message).toContain("at most 3 recordings");
    await talkFor(800);
    const talk = Promise.all([phone.say(tone(600, 3_000)), call.play(tone(1_000, 3_000))]);
    await talkFor(1_000);
    stereo.pause();
    stereo.pause();
    await talkFor(1_000);
    stereo.resume();
    await talk;
    await talkFor(600);
    const results = await Promise.all([stereo, files, trimmed].map((recording) => recording.stop()));
    phone.hangUp();
    for (const result of results) expectFacts(result);
    const [paused, two, message] = results as [RecordingResult, RecordingResult, RecordingResult];

    const channels = (await decoder?.decode(onlyFile(paused).path)) ?? [];
    expect(channels).toHaveLength(2);
    expect(Math.abs(paused.durationMs - two.durationMs)).toBeLessThanOrEqual(40);
    expect(Math.abs(paused.pausedMs - 1_000)).toBeLessThanOrEqual(60);
    for (const channel of channels) {
      // The tone, silence in its middle, the tone again: all in all as long as it was.
      const [first, second, ...rest] = soundsIn(channel, -30);
      expect(rest).toEqual([]);
      const gapMs = (second?.[0] ?? 0) - (first?.[1] ?? 0);
      expect(Math.abs(gapMs - paused.pausedMs)).toBeLessThanOrEqual(25);
      expect(Math.abs((second?.[1] ?? 0) - (first?.[0] ?? 0) - 3_000)).toBeLessThanOrEqual(70);
      const silent = levelsOf(channel).slice((first?.[1] ?? 0) / 20 + 2, (second?.[0] ?? 0) / 20 - 1);
      expect(Math.max(...silent)).toBeLessThan(-70);
    }

    expect(two.files.map(({ channel, path }) => [channel, path])).toEqual([
      ["caller", join(own, "two-caller.opus")],
      ["business", join(own, "two-business.opus")],
    ]);
    const [left, right] = await Promise.all(two.files.map(async ({ path }) => decoder?.decode(path)));
    expect([left?.length, right?.length]).toEqual([1, 1]);
    expect(left?.[0]?.length).toBe(right?.[0]?.length);
    expect((left?.[0]?.length ?? 0) / 48).toBe(two.durationMs);
    for (const [side, frequencyHz] of [
      [left?.[0], 600],
      [right?.[0], 1_000],
    ] as const) {
      const [wanted, other] = [frequencyHz, 1_600 - frequencyHz].map((hz) =>
        energyAt(side ?? new Int16Array(), hz),
      );
      expect(wanted).toBeGreaterThan(10 * (other ?? 0));
    }

    // Trimmed to the tone, with 200 ms of silence at both ends.
    expect(onlyFile(message).path).toBe(join(own, "message.wav"));
    expect(existsSync(join(own, "message.opus"))).toBe(false);
    expect(Math.abs(message.durationMs - 3_400)).toBeLessThanOrEqual(60);
    const [samples = new Int16Array()] = await channelsOfWav(onlyFile(message).path);
    expect(samples.length / 48).toBe(message.durationMs);
    const [sound] = soundsIn(samples, -30);
    expect(Math.abs((sound?.[0] ?? 0) - 200)).toBeLessThanOrEqual(40);
    await phone.ended;
  }, 40_000);
});

/** Energy at a frequency, over windows of 20 ms: a slot that was left out shifts the phase, and no more. */
function energyAt(samples: Int16Array, frequencyHz: number): number {
  const step = (2 * Math.PI * frequencyHz) / 48_000;
  let energy = 0;
  for (let start = 0; start + 960 <= samples.length; start += 960) {
    let [real, imaginary] = [0, 0];
    for (let i = start; i < start + 960; i += 1) {
      real += (samples[i] ?? 0) * Math.cos(step * i);
      imaginary += (samples[i] ?? 0) * Math.sin(step * i);
    }
    energy += real * real + imaginary * imaginary;
  }
  return energy;
}

describe.skipIf(isMissing("soxi"))("SoX", () => {
  test("reads a stereo WAV file of a call, of the length that the result says", async () => {
    const { call, phone } = await talking.connect({ voice: { type: "tone", frequencyHz: 500 } });
    const result = await call.record({
      consent: "none",
      channels: "both",
      format: "wav",
      beep: false,
      maxMs: 600,
    });
    phone.hangUp();
    expectFacts(result);
    const { path } = onlyFile(result);
    const facts = ["-c", "-r", "-b", "-s"].map((flag) => Number(execFileSync("soxi", [flag, path])));
    expect(facts).toEqual([2, 48_000, 16, result.durationMs * 48]);
    await phone.ended;
  });
});

describe("a recording that cannot be written", () => {
  /** A folder on a disk of 8 KiB. */
  const tinyDisk = (): string | null => {
    const path = join(folder, "tiny");
    mkdirSync(path);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=8k", "tmpfs", path], { stdio: "ignore" });
      return path;
    } catch {
      console.warn("skipped: a recording on a full disk: no small disk can be mounted here");
      return null;
    }
  };

  test("ends at once and says why, and the call and its other recordings go on", async () => {
    const there = join(folder, "there.opus");
    writeFileSync(there, "something else");
    const { call, phone } = await talking.connect();
    const whole = call.startRecording({ consent: "none" });
    const startedAtMs = performance.now();
    const [existing, nowhere] = await Promise.all([
      call.record({ consent: "none", beep: false, file: there }),
      call.startRecording({ consent: "none", file: join(there, "calls", "1.opus") }).finished,
    ]);
    expect(performance.now() - startedAtMs).toBeLessThan(2_000);
    expect(existing).toMatchObject({ status: "failed", endedBy: "failed", files: [] });
    expect(existing.error).toMatchObject({ code: "RECORDING_FAILED" });
    expect(existing.error?.message).toContain("there is a file of this name already");
    expect(readFileSync(there, "utf8")).toBe("something else");
    expect(nowhere).toMatchObject({ status: "failed", endedBy: "failed", files: [] });
    expect(nowhere.error?.message).toContain("a part of the path is no folder");
    expect(call.phase).toBe("active");
    expect((await call.play(tone(700, 200))).outcome).toBe("completed");
    expectFacts(await whole.stop());
    phone.hangUp();
    await phone.ended;
  });

  test("because the disk is full, or may not be written to, keeps what it has, and the call goes on", async ({
    skip,
  }) => {
    const disk = tinyDisk();
    if (disk === null) return skip();
    try {
      const { call, phone } = await talking.connect({
        voice: { type: "file", path: audio(CALLER), loop: true },
      });
      void call.play(audio(BUSINESS), { loop: true });
      const result = await call.startRecording({ consent: "none", file: join(disk, "call.opus") }).finished;
      expect(result).toMatchObject({ status: "failed", endedBy: "failed" });
      expect(result.error?.message).toContain("the disk is full");
      expect(result.durationMs).toBeGreaterThanOrEqual(500);
      expect(call.phase).toBe("active");
      for (const decoder of decoders) {
        const [left = new Int16Array()] = await decoder.decode(copyOf(onlyFile(result).path));
        expect(Math.abs(left.length / 48 - result.durationMs)).toBeLessThanOrEqual(20);
      }
      execFileSync("mount", ["-o", "remount,ro", disk]);
      const locked = await call.startRecording({ consent: "none", file: join(disk, "next.opus") }).finished;
      expect(locked).toMatchObject({ status: "failed", endedBy: "failed", files: [] });
      expect(locked.error?.message).toContain("the file system is read-only");
      await call.play(tone(700, 400));
      await until(() => phone.media.lastToneAtMs(700) !== null);
      phone.hangUp();
      const { media } = await phone.ended;
      expect(media).toMatchObject({ packetsLost: 0, badTimestampSteps: 0, ssrcCount: 1 });
    } finally {
      execFileSync("umount", [disk]);
    }
  }, 40_000);
});

/** Beside a file that is on a full disk nothing can be written. */
function copyOf(path: string): string {
  const copy = join(folder, "copy.opus");
  writeFileSync(copy, readFileSync(path));
  return copy;
}
