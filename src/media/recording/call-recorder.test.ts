import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { numberedPacket, RecordingContent } from "../../../test/support/recording-rig.ts";
import type { AppendFileOptions } from "../../platform/append-file.ts";
import { fileFailure } from "../../platform/file-failure.ts";
import { CallRecorder, type CallRecorderOptions, type RecorderFile } from "./call-recorder.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ringback-recorder-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function recorder(options: Partial<CallRecorderOptions> = {}): CallRecorder {
  return new CallRecorder({
    path: join(folder, "calls", "call.opus"),
    channels: "both",
    fastestTransitMs: null,
    ...options,
  });
}

/** A second of both sides, told in turns of 20 ms. */
function record(recorder: CallRecorder, fromMs: number, slots = 50): number {
  for (let n = 0; n < slots; n += 1) {
    const nowMs = fromMs + n * 20;
    const packet = numberedPacket(n);
    recorder.caller(Uint8Array.from([9, 9, ...packet, 9]), 2, packet.length, n * 960, nowMs);
    recorder.business(numberedPacket(n), nowMs);
    recorder.tick(nowMs);
  }
  return fromMs + slots * 20;
}

/** Fails when it has so many bytes. */
class FailingFile implements RecorderFile {
  readonly isCreated = true;
  bytesWritten = 0;
  isClosed = false;
  readonly #room: number;
  readonly #options: AppendFileOptions;

  constructor(room: number, options: AppendFileOptions) {
    this.#room = room;
    this.#options = options;
  }

  append(bytes: Uint8Array): void {
    if (this.bytesWritten + bytes.length > this.#room) this.#options.onError(fileFailure("ENOSPC"));
    else this.bytesWritten += bytes.length;
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}

describe("a recorder", () => {
  test("writes a stereo file that nobody else may read, and tells what became of it", async () => {
    const recording = recorder();
    recording.stop(record(recording, 0));
    const media = await recording.finished;
    const path = join(folder, "calls", "call.opus");
    expect(media).toEqual({
      status: "completed",
      files: [{ path, channel: "both", bytes: statSync(path).size }],
      durationMs: 1000,
      pausedMs: 0,
      concealedMs: 0,
      framesUnplaced: 0,
      error: null,
    });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const content = new RecordingContent(readFileSync(path));
    const numbers = Array.from({ length: 50 }, (_, n) => n);
    expect([content.labels(0), content.labels(1)]).toEqual([numbers, numbers]);
  });

  test("writes two files of the same duration, named after their channels", async () => {
    const recording = recorder({ layout: "files" });
    recording.stop(record(recording, 0));
    const { files } = await recording.finished;
    expect(files.map(({ path, channel }) => [path, channel])).toEqual([
      [join(folder, "calls", "call-caller.opus"), "caller"],
      [join(folder, "calls", "call-business.opus"), "business"],
    ]);
    for (const { path } of files) expect(new RecordingContent(readFileSync(path)).durationMs).toBe(1000);
  });

  test.each(["caller", "business"] as const)(
    "of the %s alone writes one file, under its own name",
    async (channels) => {
      const recording = recorder({ channels, layout: "files", path: join(folder, "a.b", "call") });
      recording.stop(record(recording, 0));
      const { files } = await recording.finished;
      expect(files).toMatchObject([{ path: join(folder, "a.b", "call"), channel: channels }]);
    },
  );

  test("that is stopped before it began leaves no file", async () => {
    const recording = recorder();
    recording.stop(0);
    recording.stop(1);
    record(recording, 10);
    expect(await recording.finished).toMatchObject({
      status: "absent",
      files: [],
      durationMs: 0,
      error: null,
    });
    expect(existsSync(join(folder, "calls"))).toBe(false);
  });

  test("tells paused time", async () => {
    const recording = recorder();
    let nowMs = record(recording, 0);
    recording.pause(nowMs);
    nowMs = record(recording, nowMs);
    recording.resume(nowMs);
    nowMs = record(recording, nowMs);
    recording.stop(nowMs);
    expect(await recording.finished).toMatchObject({ durationMs: 3000, pausedMs: 1020 });
  });

  test("goes on when the disk does not, and says why", async () => {
    const opened: FailingFile[] = [];
    const recording = recorder({
      openFile: (_path, options) => {
        const file = new FailingFile(1000, options);
        opened.push(file);
        return file;
      },
    });
    recording.stop(record(recording, 0, 500));
    const media = await recording.finished;
    expect(media).toMatchObject({
      status: "failed",
      error: { code: "ENOSPC", message: "The recording could not be written: the disk is full." },
    });
    expect(media.files).toHaveLength(1);
    expect(media.durationMs).toBeGreaterThan(0);
    expect(opened.map(({ isClosed }) => isClosed)).toEqual([true]);
  });

  test("keeps one channel's file when the other one's cannot be made", async () => {
    writeFileSync(join(folder, "call-caller.opus"), "another recording");
    const recording = recorder({ path: join(folder, "call.opus"), layout: "files" });
    recording.stop(record(recording, 0));
    expect(await recording.finished).toMatchObject({
      status: "failed",
      files: [{ channel: "business" }],
      error: { code: "EEXIST" },
    });
    expect(readFileSync(join(folder, "call-caller.opus"), "utf8")).toBe("another recording");
  });
});
