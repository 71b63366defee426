import { execFile, spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { promisify } from "node:util";
import { channelsOfWav } from "../support/recorded-call.ts";

const run = promisify(execFile);

const SAMPLES_PER_MS = 48;
/** At 8 kHz first, so far around where it should be. */
const COARSE_STEP = 6;
const REACH_MS = 150;

/** A program of somebody else's that decodes our files. */
export interface Decoder {
  readonly name: string;
  readonly debianPackage: string;
  readonly isMissing: boolean;
  /** Each channel at 48 kHz. Rejects when the program finds something wrong. */
  decode(path: string): Promise<readonly Int16Array[]>;
}

export function isMissing(command: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${command}`]).status !== 0;
}

export const opusdec: Decoder = {
  name: "opusdec",
  debianPackage: "opus-tools",
  isMissing: isMissing("opusdec"),
  decode: (path) => decodeBy("opusdec", ["--quiet", "--rate", "48000", path], path),
};

/** With libopus: its own decoder conceals nothing. */
export const ffmpeg: Decoder = {
  name: "ffmpeg",
  debianPackage: "ffmpeg",
  isMissing: isMissing("ffmpeg"),
  decode: (path) =>
    decodeBy("ffmpeg", ["-loglevel", "error", "-y", "-c:a", "libopus", "-i", path, "-bitexact"], path),
};

async function decodeBy(
  command: string,
  args: readonly string[],
  path: string,
): Promise<readonly Int16Array[]> {
  const wavPath = `${path}.${command}.wav`;
  await run(command, [...args, wavPath]);
  const channels = await channelsOfWav(wavPath);
  rmSync(wavPath);
  return channels;
}

/** Where something is in a recording, and how much of it. */
export interface Place {
  /** Of the waveforms: 1 is the same. */
  readonly correlation: number;
  /** Where the reference begins in the recording, in ms; negative: before it. */
  readonly offsetMs: number;
}

/** Finds a waveform in a recording, both 48 kHz, to the sample; it may begin before the recording, or end behind it. */
export function locate(reference: Int16Array, recorded: Int16Array, aroundMs: number): Place {
  const near = Math.round((aroundMs * SAMPLES_PER_MS) / COARSE_STEP);
  const reach = Math.round((REACH_MS * SAMPLES_PER_MS) / COARSE_STEP);
  const coarse = bestLag(decimated(reference), decimated(recorded), near, reach);
  const fine = bestLag(reference, recorded, coarse.lag * COARSE_STEP, COARSE_STEP);
  return { correlation: fine.correlation, offsetMs: fine.lag / SAMPLES_PER_MS };
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
  near: number,
  reach: number,
): { readonly lag: number; readonly correlation: number } {
  let best = { lag: near, correlation: Number.NEGATIVE_INFINITY };
  for (let lag = near - reach; lag <= near + reach; lag += 1) {
    const correlation = correlate(reference, recorded, lag);
    if (correlation > best.correlation) best = { lag, correlation };
  }
  return best;
}

/** Over the time in which both are. */
function correlate(reference: Int16Array, recorded: Int16Array, lag: number): number {
  const from = Math.max(0, -lag);
  const to = Math.min(reference.length, recorded.length - lag);
  let [product, referenceEnergy, recordedEnergy] = [0, 0, 0];
  for (let i = from; i < to; i += 1) {
    const a = reference[i] ?? 0;
    const b = recorded[i + lag] ?? 0;
    product += a * b;
    referenceEnergy += a * a;
    recordedEnergy += b * b;
  }
  return product / Math.sqrt(referenceEnergy * recordedEnergy + 1);
}

/** Level of each 20 ms, in dBFS. */
export function levelsOf(samples: Int16Array): number[] {
  const levels: number[] = [];
  for (let start = 0; start + 960 <= samples.length; start += 960) {
    let energy = 0;
    for (let i = start; i < start + 960; i += 1) energy += ((samples[i] ?? 0) / 32_768) ** 2;
    levels.push(10 * Math.log10(energy / 960 + 1e-12));
  }
  return levels;
}

/** Where sound begins and ends, in ms, to 5 ms; a gap of less than 60 ms does not end it. */
export function soundsIn(samples: Int16Array, aboveDbfs = -40): (readonly [number, number])[] {
  const sounds: [number, number][] = [];
  const window = 5 * SAMPLES_PER_MS;
  for (let start = 0; start + window <= samples.length; start += window) {
    let energy = 0;
    for (let i = start; i < start + window; i += 1) energy += ((samples[i] ?? 0) / 32_768) ** 2;
    if (10 * Math.log10(energy / window + 1e-12) < aboveDbfs) continue;
    const [beginMs, endMs] = [start / SAMPLES_PER_MS, start / SAMPLES_PER_MS + 5];
    const last = sounds.at(-1);
    if (last !== undefined && beginMs - last[1] < 60) last[1] = endMs;
    else sounds.push([beginMs, endMs]);
  }
  return sounds;
}
