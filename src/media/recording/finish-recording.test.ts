import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  type CallOptions,
  channelsOfWav,
  recordCall,
  type Speech,
  speechOf,
} from "../../../test/support/recorded-call.ts";
import { RecordingContent } from "../../../test/support/recording-rig.ts";
import { compareAudio } from "../../core/audio/similarity.ts";
import { systemClock } from "../../platform/clock.ts";
import { decodeFile } from "../file-decoder.ts";
import { WorkSlices } from "../work-slices.ts";
import { CallRecorder, type CallRecorderOptions } from "./call-recorder.ts";
import { finishRecording } from "./finish-recording.ts";
import type { RecordedMedia } from "./recorded-media.ts";

const slices = new WorkSlices(systemClock, 4);
let workshop: Speech;
let parcel: Speech;
let folder = "";

beforeAll(async () => {
  workshop = await speechOf("speech-workshop.ogg");
  parcel = await speechOf("speech-parcel.ogg");
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ringback-finish-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The caller speaks at 1 s, the business at 5 s, of 10. */
async function record(
  options: Partial<CallRecorderOptions> = {},
  call: Partial<CallOptions> = {},
): Promise<RecordedMedia> {
  const recorder = new CallRecorder({
    path: join(folder, "call.opus"),
    channels: "both",
    fastestTransitMs: null,
    ...options,
  });
  await recordCall(recorder, {
    caller: workshop,
    business: parcel,
    callerAtMs: 1000,
    businessAtMs: 5000,
    durationMs: 10_000,
    ...call,
  });
  return recorder.finished;
}

function sha256(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

describe("a finished recording", () => {
  test("has its size, its hash and its duration", async () => {
    const { files } = await record();
    const path = join(folder, "call.opus");
    expect(await finishRecording(files, { slices })).toEqual({
      files: [
        {
          path,
          channel: "both",
          format: "opus",
          bytes: statSync(path).size,
          sha256: sha256(path),
          durationMs: 10_000,
        },
      ],
      hasSound: null,
      error: null,
    });
  });

  test("of which there is no file is told", async () => {
    const finished = await finishRecording([{ path: join(folder, "none.opus"), channel: "both", bytes: 0 }], {
      slices,
      trim: true,
      format: "wav",
    });
    expect(finished).toEqual({
      files: [],
      hasSound: null,
      error: { code: "ENOENT", message: "The recording is not trimmed: there is no such file or folder." },
    });
  });

  test("can be played by our own player, one channel or two", async () => {
    const stereo = await record();
    const mono = await record({ layout: "files", path: join(folder, "mono.opus") });
    for (const { path, channel } of [...stereo.files, ...mono.files]) {
      const samples: number[] = [];
      for await (const piece of decodeFile(path, slices))
        for (const sample of piece) samples.push(sample * 32_767);
      expect(samples.length / 48, channel).toBeCloseTo(10_000, -1);
      const expected = channel === "business" ? parcel : workshop;
      const { similarity } = compareAudio(expected.samples, Int16Array.from(samples), 48_000);
      expect(similarity, channel).toBeGreaterThan(0.9);
    }
  });
});

describe("a trimmed recording", () => {
  test("begins and ends with 200 ms of silence, in all its packets what was recorded", async () => {
    const { files } = await record();
    const before = new RecordingContent(readFileSync(join(folder, "call.opus")));
    const finished = await finishRecording(files, { slices, trim: true });
    const after = new RecordingContent(readFileSync(join(folder, "call.opus")));
    expect(finished.error).toBeNull();
    // From 1 s to the end of the last sentence, as loud as it is.
    expect(finished.files[0]?.durationMs).toBe(after.durationMs);
    expect(after.durationMs).toBeGreaterThan(6900);
    expect(after.durationMs).toBeLessThan(7700);
    expect(after.durationMs % 20).toBe(0);
    expect(after.isComplete).toBe(true);
    const sameIn = (stream: number): boolean =>
      Buffer.concat(before.streams[stream] ?? []).includes(Buffer.concat(after.streams[stream] ?? []));
    expect([sameIn(0), sameIn(1)]).toEqual([true, true]);

    await finishRecording(finished.files, { slices, format: "wav" });
    const [left = new Int16Array()] = await channelsOfWav(join(folder, "call.wav"));
    const { offsetMs, similarity } = compareAudio(workshop.samples, left, 48_000);
    expect(similarity).toBeGreaterThan(0.9);
    expect(offsetMs).toBeGreaterThan(120);
    expect(offsetMs).toBeLessThan(260);
  });

  test("loses minutes of silence as well", async () => {
    const { files } = await record({}, { callerAtMs: 20_000, businessAtMs: 26_000, durationMs: 150_000 });
    const [file] = (await finishRecording(files, { slices, trim: true })).files;
    // What lies between, 6 s, and a sentence of 3 s.
    expect(file?.durationMs).toBeGreaterThan(8900);
    expect(file?.durationMs).toBeLessThan(9700);
  });

  test("is cut at the same places in both of its files", async () => {
    const { files } = await record({ layout: "files" });
    const finished = await finishRecording(files, { slices, trim: true });
    const [caller, business] = finished.files;
    expect(caller?.durationMs).toBe(business?.durationMs);
    expect(caller?.durationMs).toBeLessThan(7700);
    expect(readdirSync(folder)).toEqual(["call-business.opus", "call-caller.opus"]);
  });

  test("stays as it is without any sound, and without any silence", async () => {
    const quiet = { samples: new Int16Array(), packets: [] };
    const silent = await record({}, { caller: quiet, business: quiet });
    const silentHash = sha256(join(folder, "call.opus"));
    expect(await finishRecording(silent.files, { slices, trim: true })).toMatchObject({
      files: [{ sha256: silentHash, durationMs: 10_000 }],
      hasSound: false,
      error: null,
    });
    const full = await record(
      { path: join(folder, "full.opus") },
      { callerAtMs: 0, businessAtMs: 200, durationMs: 3000 },
    );
    const fullHash = sha256(join(folder, "full.opus"));
    expect(await finishRecording(full.files, { slices, trim: true })).toMatchObject({
      files: [{ sha256: fullHash, durationMs: 3000 }],
      hasSound: true,
    });
  });
});

describe("a WAV file", () => {
  test("takes the place of the Opus file: left the caller, right the business, each in its time", async () => {
    const { files } = await record();
    const finished = await finishRecording(files, { slices, format: "wav" });
    const path = join(folder, "call.wav");
    expect(finished).toEqual({
      files: [
        {
          path,
          channel: "both",
          format: "wav",
          bytes: 44 + 10 * 48_000 * 4,
          sha256: sha256(path),
          durationMs: 10_000,
        },
      ],
      hasSound: null,
      error: null,
    });
    expect(readdirSync(folder)).toEqual(["call.wav"]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const [left = new Int16Array(), right = new Int16Array()] = await channelsOfWav(path);
    const caller = compareAudio(workshop.samples, left, 48_000);
    const business = compareAudio(parcel.samples, right, 48_000);
    expect(caller.similarity).toBeGreaterThan(0.9);
    expect(business.similarity).toBeGreaterThan(0.9);
    expect(Math.abs(caller.offsetMs - 1000)).toBeLessThanOrEqual(20);
    expect(Math.abs(business.offsetMs - 5000)).toBeLessThanOrEqual(20);
    expect(compareAudio(workshop.samples, right, 48_000).similarity).toBeLessThan(0.6);
  });

  test("may have the name that the recording was made under", async () => {
    const path = join(folder, "call.wav");
    const { files } = await record({ path });
    const finished = await finishRecording(files, { slices, format: "wav" });
    expect(finished).toMatchObject({ files: [{ path, format: "wav", durationMs: 10_000 }], error: null });
    expect(await channelsOfWav(path)).toHaveLength(2);
    expect(readdirSync(folder)).toEqual(["call.wav"]);
  });

  test("of one channel is mono", async () => {
    const { files } = await record({ channels: "caller" });
    await finishRecording(files, { slices, format: "wav" });
    expect(await channelsOfWav(join(folder, "call.wav"))).toHaveLength(1);
  });

  test("of a recording that a crash has cut off lasts as long as what is left", async () => {
    await record();
    const path = join(folder, "call.opus");
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.subarray(0, bytes.length / 2));
    const finished = await finishRecording([{ path, channel: "both", bytes: 0 }], { slices, format: "wav" });
    const [left = new Int16Array()] = await channelsOfWav(join(folder, "call.wav"));
    expect(finished.files[0]?.durationMs).toBe(left.length / 48);
    expect(left.length).toBeGreaterThan(3 * 48_000);
  });

  test("of a recording that is damaged in its middle keeps the time behind it", async () => {
    await record();
    const path = join(folder, "call.opus");
    const bytes = readFileSync(path);
    // Half a second in the business's silence.
    const at = Math.floor(bytes.length / 4);
    bytes[at] = (bytes[at] ?? 0) ^ 0xff;
    writeFileSync(path, bytes);
    await finishRecording([{ path, channel: "both", bytes: 0 }], { slices, format: "wav" });
    const [left, right = new Int16Array()] = await channelsOfWav(join(folder, "call.wav"));
    expect(left).toHaveLength(480_000);
    expect(Math.abs(compareAudio(parcel.samples, right, 48_000).offsetMs - 5000)).toBeLessThanOrEqual(20);
  });

  test("does not take the place of another; the Opus file stays, with the reason", async () => {
    const { files } = await record();
    writeFileSync(join(folder, "call.wav"), "another");
    const finished = await finishRecording(files, { slices, format: "wav" });
    expect(finished).toMatchObject({
      files: [{ path: join(folder, "call.opus"), format: "opus", durationMs: 10_000 }],
      error: {
        code: "EEXIST",
        message: "The recording stays an Opus file: there is a file of this name already.",
      },
    });
    expect(readFileSync(join(folder, "call.wav"), "utf8")).toBe("another");
  });

  test("that the disk has no room for leaves the recording as it was", async ({ skip }) => {
    const disk = join(folder, "disk");
    mkdirSync(disk);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=128k", "tmpfs", disk], { stdio: "ignore" });
    } catch {
      return skip("this process may not mount a small disk");
    }
    try {
      const { files } = await record({ path: join(disk, "call.opus") });
      const finished = await finishRecording(files, { slices, format: "wav" });
      expect(finished).toMatchObject({
        files: [{ format: "opus", durationMs: 10_000 }],
        error: { code: "ENOSPC", message: "The recording stays an Opus file: the disk is full." },
      });
      expect(readdirSync(disk)).toEqual(["call.opus"]);
    } finally {
      execFileSync("umount", [disk]);
    }
  });

  test("is not made of what is no recording", async () => {
    const path = join(folder, "call.opus");
    writeFileSync(path, "not at all");
    const finished = await finishRecording([{ path, channel: "both", bytes: 10 }], { slices, format: "wav" });
    expect(finished).toMatchObject({
      files: [{ format: "opus", durationMs: 0 }],
      error: { code: "ENODATA", message: "The recording stays an Opus file: the file holds no sound." },
    });
    expect(readdirSync(folder)).toEqual(["call.opus"]);
  });
});

test("finishing lets the event loop turn every few ms", async () => {
  const { files } = await record();
  let isDone = false;
  let turns = 0;
  const countTurns = (): void => {
    turns += 1;
    if (!isDone) setImmediate(countTurns);
  };
  setImmediate(countTurns);
  await finishRecording(files, { slices: new WorkSlices(systemClock, 4), trim: true, format: "wav" });
  isDone = true;
  expect(turns).toBeGreaterThan(20);
});
