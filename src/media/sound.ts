import { createHash } from "node:crypto";
import { mixTone, type ToneSpec } from "../core/audio/tone.ts";
import { type FileFacts, readFileFacts } from "../platform/file-source.ts";
import { decodeAudio, decodeFile } from "./file-decoder.ts";
import { mediaFileError } from "./media-file-error.ts";
import { OPUS_CLOCK_RATE_HZ } from "./rtp-clock.ts";
import type { WorkSlices } from "./work-slices.ts";

/** Something that can be made into samples again and again. */
export interface Sound {
  /** For errors. */
  readonly name: string;
  /** The same for what sounds the same; of two with one key, the newer takes the older one's place. */
  readonly key: string;
  readonly version: string;
  /** Mono at 48 kHz, in pieces that are valid until the next one. Throws `MEDIA_FILE_UNUSABLE`. */
  samples(slices: WorkSlices): AsyncIterable<Float32Array>;
}

/**
 * A file as it is now.
 *
 * @throws {RingbackError} `MEDIA_FILE_UNUSABLE`.
 */
export async function fileSound(path: string, maxFileBytes: number): Promise<Sound> {
  const { realPath, version } = await checkFile(path, maxFileBytes);
  return { name: path, key: realPath, version, samples: (slices) => decodeFile(path, slices) };
}

/** The bytes of an audio file, which must not be changed afterwards. */
export function bytesSound(bytes: Uint8Array, name: string): Sound {
  const version = createHash("sha256").update(bytes).digest("base64");
  return {
    name,
    key: `bytes ${version}`,
    version,
    samples: (slices) => decodeAudio(name, once(bytes), slices),
  };
}

export function toneSound(tone: ToneSpec): Sound {
  const name = `tone ${[tone.frequencyHz].flat().join("+")} Hz, ${tone.durationMs} ms`;
  return { name, key: name, version: "", samples: () => once(mixTone(tone, OPUS_CLOCK_RATE_HZ)) };
}

export function silenceSound(durationMs: number): Sound {
  const samples = (durationMs * OPUS_CLOCK_RATE_HZ) / 1_000;
  const name = `silence ${durationMs} ms`;
  return { name, key: name, version: "", samples: () => silence(samples) };
}

async function* once<T>(value: T): AsyncGenerator<T> {
  yield value;
}

const SILENCE = new Float32Array(OPUS_CLOCK_RATE_HZ);

async function* silence(sampleCount: number): AsyncGenerator<Float32Array> {
  for (let left = Math.round(sampleCount); left > 0; left -= SILENCE.length) {
    yield SILENCE.subarray(0, left);
  }
}

async function checkFile(path: string, maxFileBytes: number): Promise<FileFacts> {
  let facts: FileFacts;
  try {
    facts = await readFileFacts(path);
  } catch (error) {
    throw mediaFileError(path, isMissing(error) ? "missing" : "unreadable", error);
  }
  if (!facts.isFile) throw mediaFileError(path, "unreadable");
  if (facts.sizeBytes === 0) throw mediaFileError(path, "empty");
  if (facts.sizeBytes > maxFileBytes) throw mediaFileError(path, "too-large");
  return facts;
}

function isMissing(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return code === "ENOENT" || code === "ENOTDIR";
}
