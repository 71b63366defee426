import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";
import type { PhoneCall } from "../../src/simulator/index.ts";
import { channelsOfWav } from "../support/recorded-call.ts";

const run = promisify(execFile);

const SAMPLE_RATE_HZ = 48_000;
const SAMPLES_PER_MS = SAMPLE_RATE_HZ / 1_000;
/** Rate of the search over the whole file. */
const COARSE_RATE_HZ = 4_000;
const COARSE_STEP = SAMPLE_RATE_HZ / COARSE_RATE_HZ;
/** Below is noise of the codec. */
const LEAST_SOUND = 300;
const TOOLS = { opusdec: "opus-tools", opusinfo: "opus-tools", ffprobe: "ffmpeg" } as const;

/** Why recordings cannot be read here by programs that are not ours; null when they can. */
export function missingTools(): string | null {
  const missing = Object.entries(TOOLS).filter(
    ([tool]) => spawnSync("sh", ["-c", `command -v ${tool}`]).status !== 0,
  );
  if (missing.length === 0) return null;
  return missing.map(([tool, debianPackage]) => `${tool} (${debianPackage})`).join(", ");
}

/** A recording as programs that are not ours read it. */
export interface RecordedFile {
  /** 48 kHz. */
  readonly channels: readonly Int16Array[];
  /** By its samples. */
  readonly durationMs: number;
  /** As a media player shows it. */
  readonly containerMs: number;
  readonly sha256: string;
}

/** @throws {Error} When one of the programs finds something wrong with the file. */
export async function readRecording(path: string): Promise<RecordedFile> {
  const wavPath = `${path}.wav`;
  await run("opusdec", ["--quiet", "--rate", String(SAMPLE_RATE_HZ), path, wavPath]);
  const channels = await channelsOfWav(wavPath);
  rmSync(wavPath);
  // Tells of holes, pages out of order and a missing end; its exit code is 1 then.
  const info = await run("opusinfo", [path]);
  if (/warning|error/i.test(info.stdout)) throw new Error(info.stdout);
  const probe = ["-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", path];
  const { stdout } = await run("ffprobe", probe);
  return {
    channels,
    durationMs: (channels[0] ?? new Int16Array()).length / SAMPLES_PER_MS,
    containerMs: Number(stdout) * 1_000,
    sha256: createHash("sha256").update(readFileSync(path)).digest("hex"),
  };
}

/** The only file in a folder of recordings. */
export function onlyFile(folder: string): string {
  const files = readdirSync(folder);
  if (files.length !== 1) throw new Error(`${files.length} files instead of one: ${files.join(", ")}`);
  return join(folder, files[0] ?? "");
}

/** What a phone said, or heard, and when it began on the phone's axis of time. */
export interface Excerpt {
  readonly samples: Int16Array;
  readonly startedAtMs: number;
}

/** A packet leaves up to 100 ms after it was due: what was said is in this much more than what left meanwhile. */
const MARGIN_MS = 120;

/** What a phone said or heard from one of its times to another. */
export function excerpt(phone: PhoneCall, which: "sent" | "heard", fromMs: number, toMs: number): Excerpt {
  const { media } = phone;
  const startMs = (which === "sent" ? media.sentStartMs : media.heardStartMs) ?? 0;
  const pcm = which === "sent" ? media.sentPcm() : media.heardPcm();
  const from = Math.max(0, Math.round((fromMs - startMs) * SAMPLES_PER_MS));
  const to = Math.round((toMs - startMs) * SAMPLES_PER_MS);
  return { samples: pcm.slice(from, to), startedAtMs: startMs + from / SAMPLES_PER_MS };
}

/** Says a file, and nothing for a moment. What was said can be had as long as the phone is there. */
export async function sayFile(phone: PhoneCall, file: string): Promise<() => Excerpt> {
  // A key right behind the last word would be a loss in the middle of it for whoever decodes the audio alone.
  const { parts } = await phone.say([{ file }, { silenceMs: 200 }]);
  const [{ firstPacketAtMs, lastPacketAtMs } = { firstPacketAtMs: 0, lastPacketAtMs: 0 }] = parts;
  return () => excerpt(phone, "sent", firstPacketAtMs - MARGIN_MS, lastPacketAtMs + MARGIN_MS);
}

/** One channel, which has what was said, as long as it was said, and the length that it claims. */
export function expectMessage({ channels, durationMs, containerMs }: RecordedFile, said: Excerpt): void {
  const [recorded = new Int16Array()] = channels;
  expect(channels).toHaveLength(1);
  expect(locate(said.samples, recorded).correlation).toBeGreaterThan(0.9);
  expect(Math.abs(soundLengthMs(recorded) - soundLengthMs(said.samples))).toBeLessThan(20);
  expect(Math.abs(containerMs - durationMs)).toBeLessThan(20);
}

export interface Place {
  /** Of the waveforms: 1 is the same. */
  readonly correlation: number;
  /** Where the reference begins in the recording, in ms. */
  readonly offsetMs: number;
}

/** Where the waveform of `reference` is in `recorded`, both 48 kHz. */
export function locate(reference: Int16Array, recorded: Int16Array): Place {
  const [coarseReference, coarseRecorded] = [decimated(reference), decimated(recorded)];
  const coarse = bestLag(coarseReference, coarseRecorded, {
    // The margin before what was said may be from before the recording.
    from: -2 * MARGIN_MS * (COARSE_RATE_HZ / 1_000),
    to: coarseRecorded.length - Math.floor(coarseReference.length / 2),
  });
  const near = coarse.lag * COARSE_STEP;
  const fine = bestLag(reference, recorded, { from: near - 2 * COARSE_STEP, to: near + 2 * COARSE_STEP });
  return { correlation: fine.correlation, offsetMs: fine.lag / SAMPLES_PER_MS };
}

/** From the first to the last sample that is a sound, in ms; 0 when there is none. */
export function soundLengthMs(samples: Int16Array): number {
  const isSound = (sample: number): boolean => Math.abs(sample) > LEAST_SOUND;
  const first = samples.findIndex(isSound);
  return first < 0 ? 0 : (samples.findLastIndex(isSound) - first + 1) / SAMPLES_PER_MS;
}

function decimated(samples: Int16Array): Int16Array {
  return Int16Array.from({ length: Math.floor(samples.length / COARSE_STEP) }, (_, i) => {
    let sum = 0;
    for (let k = 0; k < COARSE_STEP; k += 1) sum += samples[i * COARSE_STEP + k] ?? 0;
    return sum / COARSE_STEP;
  });
}

function bestLag(
  reference: Int16Array,
  recorded: Int16Array,
  { from, to }: { readonly from: number; readonly to: number },
): { readonly lag: number; readonly correlation: number } {
  let best = { lag: 0, correlation: Number.NEGATIVE_INFINITY };
  for (let lag = from; lag <= to; lag += 1) {
    const correlation = correlationAt(reference, recorded, lag);
    if (correlation > best.correlation) best = { lag, correlation };
  }
  return best;
}

/** Beyond the recording is silence. */
function correlationAt(reference: Int16Array, recorded: Int16Array, lag: number): number {
  let [product, ofReference, ofRecorded] = [0, 1, 1];
  for (let i = 0; i < reference.length; i += 1) {
    const [a, b] = [reference[i] ?? 0, recorded[i + lag] ?? 0];
    product += a * b;
    ofReference += a * a;
    ofRecorded += b * b;
  }
  return product / Math.sqrt(ofReference * ofRecorded);
}
