import { createHash } from "node:crypto";
import { join, parse } from "node:path";
import { OggOpusReader } from "../../core/audio/ogg/ogg-opus-reader.ts";
import { OPUS_TICKS_PER_MS } from "../../core/audio/opus-packet.ts";
import type { RecordedChannel } from "../../core/recording/recording-file.ts";
import { type FileFailure, fileFailureOf } from "../../platform/file-failure.ts";
import { readFileChunks } from "../../platform/file-source.ts";
import { removeFile } from "../../platform/replace-file.ts";
import type { WorkSlices } from "../work-slices.ts";
import type { RecordedFile } from "./recorded-media.ts";
import { trimRecording } from "./trim-recording.ts";
import { exportWav } from "./wav-export.ts";

export type RecordingFormat = "opus" | "wav";

export interface FinishRecordingOptions {
  /** Cut silence off the beginning and the end, but for 200 ms. Default false. */
  readonly trim?: boolean;
  /** Default `opus`: the files stay as they were recorded. */
  readonly format?: RecordingFormat;
  readonly slices: WorkSlices;
}

export interface FinishedFile {
  readonly path: string;
  readonly channel: RecordedChannel;
  readonly format: RecordingFormat;
  readonly bytes: number;
  /** In hexadecimal. */
  readonly sha256: string;
  readonly durationMs: number;
}

export interface FinishedRecording {
  /** Those that can be read. */
  readonly files: readonly FinishedFile[];
  /** False: there was only silence, and nothing was trimmed. Null when it was not looked for. */
  readonly hasSound: boolean | null;
  /** The first reason why a file is not what was asked for: not trimmed, still Opus, or not readable. Its message is a sentence. */
  readonly error: FileFailure | null;
}

const READ_BYTES = 65_536;

/**
 * Makes of a recording's files what was asked for. Runs in slices, holds no file in memory, and never rejects: what cannot be done
 * leaves the recording as it was.
 *
 * A WAV file takes the place of the Opus file, with the suffix `.wav`; there must be none yet, but for the recording itself.
 */
export async function finishRecording(
  files: readonly RecordedFile[],
  options: FinishRecordingOptions,
): Promise<FinishedRecording> {
  const finish = new Finish(options);
  if (options.trim === true) await finish.trim(files.map(({ path }) => path));
  const finished: FinishedFile[] = [];
  for (const file of files) {
    const result = await finish.finish(file);
    if (result !== null) finished.push(result);
  }
  return { files: finished, hasSound: finish.hasSound, error: finish.error };
}

class Finish {
  readonly #slices: WorkSlices;
  readonly #format: RecordingFormat;
  hasSound: boolean | null = null;
  error: FileFailure | null = null;

  constructor({ slices, format }: FinishRecordingOptions) {
    this.#slices = slices;
    this.#format = format ?? "opus";
  }

  async trim(paths: readonly string[]): Promise<void> {
    try {
      this.hasSound = await trimRecording(paths, this.#slices);
    } catch (error) {
      this.#note("The recording is not trimmed", error);
    }
  }

  async finish({ path, channel }: RecordedFile): Promise<FinishedFile | null> {
    try {
      const opus = await measure(path, this.#slices);
      const wavPath = this.#format === "wav" ? await this.#toWav(path) : null;
      if (wavPath === null) return { path, channel, format: "opus", ...opus };
      const wav = await measure(wavPath, this.#slices);
      return { path: wavPath, channel, format: "wav", ...wav, durationMs: opus.durationMs };
    } catch (error) {
      this.#note("The recording cannot be read", error);
      return null;
    }
  }

  async #toWav(path: string): Promise<string | null> {
    const { dir, name } = parse(path);
    const wavPath = join(dir, `${name}.wav`);
    try {
      await exportWav(path, wavPath, this.#slices);
    } catch (error) {
      this.#note("The recording stays an Opus file", error);
      return null;
    }
    if (wavPath === path) return wavPath;
    try {
      await removeFile(path);
    } catch (error) {
      this.#note("The recording's Opus file was not removed", error);
    }
    return wavPath;
  }

  #note(what: string, cause: unknown): void {
    const { code, message } = fileFailureOf(cause);
    this.error ??= { code, message: `${what}: ${message}.` };
  }
}

/** Size, hash and, of an Opus file, duration. */
async function measure(
  path: string,
  slices: WorkSlices,
): Promise<{ readonly bytes: number; readonly sha256: string; readonly durationMs: number }> {
  const hash = createHash("sha256");
  const reader = new OggOpusReader();
  let bytes = 0;
  for await (const chunk of readFileChunks(path, READ_BYTES)) {
    if (slices.isSpent) await slices.next();
    hash.update(chunk);
    reader.push(chunk);
    bytes += chunk.length;
  }
  reader.end();
  return { bytes, sha256: hash.digest("hex"), durationMs: reader.playedTicks / OPUS_TICKS_PER_MS };
}
