import { type ChildProcessByStdio, execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { OggPageReader } from "../../src/core/audio/ogg/ogg-page-reader.ts";
import { compareAudio } from "../../src/core/audio/similarity.ts";
import { CallRecorder, type CallRecorderOptions } from "../../src/media/recording/call-recorder.ts";
import { finishRecording } from "../../src/media/recording/finish-recording.ts";
import { WorkSlices } from "../../src/media/work-slices.ts";
import { systemClock } from "../../src/platform/clock.ts";
import {
  type CallOptions,
  channelsOfWav,
  recordCall,
  type Speech,
  speechOf,
} from "../support/recorded-call.ts";
import { RecordingContent } from "../support/recording-rig.ts";

const run = promisify(execFile);

const CALLER_AT_MS = 1000;
const BUSINESS_AT_MS = 4000;
const DURATION_MS = 8000;

let folder = "";
let caller: Speech;
let business: Speech;
beforeAll(async () => {
  caller = await speechOf("speech-workshop.ogg");
  business = await speechOf("speech-parcel.ogg");
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ringback-recording-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A program that reads Opus files, and makes a WAV file of 48 kHz of one. */
interface Decoder {
  readonly name: string;
  readonly command: string;
  readonly debianPackage: string;
  /** How much of a caller is there when packets were lost. */
  readonly leastSimilarity: number;
  readonly decode: (command: string, path: string, wavPath: string) => Promise<unknown>;
}

const DECODERS: readonly Decoder[] = [
  {
    name: "opusdec",
    command: "opusdec",
    debianPackage: "opus-tools",
    leastSimilarity: 0.9,
    decode: (command, path, wavPath) => run(command, ["--quiet", "--rate", "48000", path, wavPath]),
  },
  {
    name: "FFmpeg with its own decoder",
    command: "ffmpeg",
    debianPackage: "ffmpeg",
    // It conceals nothing.
    leastSimilarity: 0.85,
    decode: (command, path, wavPath) =>
      run(command, ["-loglevel", "error", "-y", "-c:a", "opus", "-i", path, "-bitexact", wavPath]),
  },
  {
    name: "FFmpeg with libopus",
    command: "ffmpeg",
    debianPackage: "ffmpeg",
    leastSimilarity: 0.9,
    decode: (command, path, wavPath) =>
      run(command, ["-loglevel", "error", "-y", "-c:a", "libopus", "-i", path, "-bitexact", wavPath]),
  },
];

function isInstalled(command: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${command}`]).status === 0;
}

/** @returns The path. */
async function record(
  call: Partial<CallOptions> = {},
  options: Partial<CallRecorderOptions> = {},
): Promise<string> {
  const path = join(folder, "call.opus");
  const recorder = new CallRecorder({ path, channels: "both", fastestTransitMs: null, ...options });
  const defaults = { caller, business, callerAtMs: CALLER_AT_MS, businessAtMs: BUSINESS_AT_MS };
  await recordCall(recorder, { ...defaults, durationMs: DURATION_MS, ...call });
  expect(await recorder.finished).toMatchObject({ status: "completed", durationMs: DURATION_MS });
  return path;
}

/** The caller left, the business right, at their times, understandable. */
function expectBoth(left: Int16Array, right: Int16Array, leastSimilarity = 0.9): void {
  const ofCaller = compareAudio(caller.samples, left, 48_000);
  const ofBusiness = compareAudio(business.samples, right, 48_000);
  expect(ofCaller.similarity).toBeGreaterThan(leastSimilarity);
  expect(ofBusiness.similarity).toBeGreaterThan(0.9);
  expect(Math.abs(ofCaller.offsetMs - CALLER_AT_MS)).toBeLessThanOrEqual(20);
  expect(Math.abs(ofBusiness.offsetMs - BUSINESS_AT_MS)).toBeLessThanOrEqual(20);
  const apartMs = ofBusiness.offsetMs - ofCaller.offsetMs;
  expect(Math.abs(apartMs - (BUSINESS_AT_MS - CALLER_AT_MS))).toBeLessThanOrEqual(20);
  // FFmpeg conceals nothing: a loss must not become a noise there.
  expect(peak(left)).toBeLessThan(1.5 * peak(caller.samples));
}

function peak(samples: Int16Array): number {
  let most = 0;
  for (const sample of samples) most = Math.max(most, Math.abs(sample));
  return most;
}

for (const { name, command, debianPackage, leastSimilarity, decode } of DECODERS) {
  const isMissing = !isInstalled(command);
  if (isMissing) console.warn(`skipped: recordings in ${name}: ${debianPackage} is not installed`);

  describe.skipIf(isMissing)(`a recording in ${name}`, () => {
    test.each([
      ["as it was", 0, 0, 1],
      ["with every 20th packet lost and 60 ms of jitter", 0.05, 60, 1],
      ["with the same, otherwise", 0.05, 60, 2],
    ])("has both sides, %s", async (_, loss, jitterMs, seed) => {
      const path = await record({ loss, jitterMs, seed });
      const wavPath = join(folder, "call.wav");
      await decode(command, path, wavPath);
      const [left = new Int16Array(), right = new Int16Array()] = await channelsOfWav(wavPath);
      expect(Math.abs(left.length / 48 - DURATION_MS)).toBeLessThanOrEqual(20);
      expectBoth(left, right, loss > 0 ? leastSimilarity : 0.9);
    });

    test("has one side in each of two files", async () => {
      await record({}, { layout: "files" });
      const sides: Int16Array[] = [];
      for (const side of ["caller", "business"]) {
        const wavPath = join(folder, `${side}.wav`);
        await decode(command, join(folder, `call-${side}.opus`), wavPath);
        const channels = await channelsOfWav(wavPath);
        expect(channels).toHaveLength(1);
        sides.push(...channels);
      }
      const [left = new Int16Array(), right = new Int16Array()] = sides;
      expect([left.length, right.length].map((length) => Math.abs(length / 48 - DURATION_MS) <= 20)).toEqual([
        true,
        true,
      ]);
      expectBoth(left, right);
    });

    test("is the same, trimmed", async () => {
      const path = await record({ loss: 0.05, jitterMs: 60 });
      await finishRecording([{ path, channel: "both", bytes: 0 }], {
        trim: true,
        slices: new WorkSlices(systemClock, 4),
      });
      const wavPath = join(folder, "call.wav");
      await decode(command, path, wavPath);
      const [left = new Int16Array(), right = new Int16Array()] = await channelsOfWav(wavPath);
      const { durationMs } = new RecordingContent(readFileSync(path));
      expect(Math.abs(left.length / 48 - durationMs)).toBeLessThanOrEqual(20);
      expect(durationMs).toBeLessThan(DURATION_MS - 1000);
      const apartMs =
        compareAudio(business.samples, right, 48_000).offsetMs -
        compareAudio(caller.samples, left, 48_000).offsetMs;
      expect(Math.abs(apartMs - (BUSINESS_AT_MS - CALLER_AT_MS))).toBeLessThanOrEqual(20);
    });

    test("is playable when it is cut off between two pages, or in one", { timeout: 60_000 }, async () => {
      const path = await record({ durationMs: DURATION_MS });
      const bytes = readFileSync(path);
      const cutPath = join(folder, "cut.opus");
      const wavPath = join(folder, "cut.wav");
      // Behind the first page with sound; every third place, as each takes a process.
      for (const cut of placesToCut(bytes).filter((_, index) => index > 5 && index % 3 === 0)) {
        writeFileSync(cutPath, bytes.subarray(0, cut));
        await decode(command, cutPath, wavPath);
        const [left = new Int16Array()] = await channelsOfWav(wavPath);
        const { durationMs } = new RecordingContent(bytes.subarray(0, cut));
        expect(Math.abs(left.length / 48 - durationMs), `cut at ${cut}`).toBeLessThanOrEqual(20);
      }
    });
  });
}

/** The ends of all pages, and places within them. */
function placesToCut(bytes: Uint8Array): readonly number[] {
  const reader = new OggPageReader();
  const places: number[] = [];
  let end = 0;
  reader.push(bytes);
  for (let page = reader.next(); page !== null; page = reader.next()) {
    const pageBytes = 27 + page.segments.length + page.body.length;
    places.push(end + Math.floor(pageBytes / 2), end + pageBytes);
    end += pageBytes;
  }
  return places;
}

describe.skipIf(!isInstalled("opusinfo"))("opusinfo", () => {
  test("finds nothing wrong with a recording", async () => {
    const path = await record({ loss: 0.05, jitterMs: 60 });
    const { stdout, stderr } = await run("opusinfo", [path]);
    expect(stderr).toBe("");
    expect(stdout).not.toMatch(/warning|error|invalid/i);
    expect(stdout).toContain("Streams: 2, Coupled: 0");
    expect(stdout).toContain("Channel Mapping Family: 1 Map: [0, 1]");
    expect(stdout).toContain("Encoded with Ringback");
    expect(stdout).toContain("Playback length: 0m:08.000s");
    expect(stdout).toMatch(/Page duration: +500.0ms \(max\)/);
  });
});

describe.skipIf(!isInstalled("soxi"))("SoX", () => {
  test("reads the WAV file that is made of a recording", async () => {
    const path = await record();
    await finishRecording([{ path, channel: "both", bytes: 0 }], {
      format: "wav",
      slices: new WorkSlices(systemClock, 4),
    });
    const wavPath = join(folder, "call.wav");
    const facts = await Promise.all(["-c", "-r", "-b", "-s"].map((flag) => run("soxi", [flag, wavPath])));
    expect(facts.map(({ stdout }) => Number(stdout))).toEqual([2, 48_000, 16, DURATION_MS * 48]);
  });
});

describe("a process that is killed while it records", () => {
  test.each([1500, 2240, 3330])("leaves all but the last second, at %i ms", async (killAtMs) => {
    const path = join(folder, "call.opus");
    const child = startChild(path);
    let recordedMs = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      recordedMs = Number(line);
      if (recordedMs >= killAtMs) child.kill("SIGKILL");
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    expect(child.signalCode).toBe("SIGKILL");
    const content = new RecordingContent(readFileSync(path));
    expect(content.durationMs).toBeGreaterThanOrEqual(recordedMs - 1000);
    const labels = content.labels(0);
    expect(labels).toEqual(Array.from({ length: labels.length }, (_, n) => n));
  });
});

function startChild(path: string): ChildProcessByStdio<null, Readable, null> {
  const program = fileURLToPath(new URL("../support/recording-child.mjs", import.meta.url));
  return spawn(process.execPath, [program, path], { stdio: ["ignore", "pipe", "inherit"] });
}
