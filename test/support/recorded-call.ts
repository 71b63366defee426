import { readFile } from "node:fs/promises";
import { parseWav } from "../../src/core/audio/wav.ts";
import { SeededRandom } from "../../src/core/seeded-random.ts";
import { decodeFile } from "../../src/media/file-decoder.ts";
import { OpusEncoder } from "../../src/media/opus-codec.ts";
import type { CallRecorder } from "../../src/media/recording/call-recorder.ts";
import { WorkSlices } from "../../src/media/work-slices.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { SILENCE_PACKET } from "./recording-rig.ts";

export interface Speech {
  /** 48 kHz, mono. */
  readonly samples: Int16Array;
  /** 20 ms each. */
  readonly packets: readonly Uint8Array[];
}

/** A fixture, as a phone would send it. */
export async function speechOf(name: "speech-workshop.ogg" | "speech-parcel.ogg"): Promise<Speech> {
  const path = new URL(`../fixtures/audio/${name}`, import.meta.url).pathname;
  const samples: number[] = [];
  for await (const piece of decodeFile(path, new WorkSlices(systemClock, 4))) samples.push(...piece);
  const encoder = await OpusEncoder.create();
  const packets: Uint8Array[] = [];
  for (let at = 0; at + 960 <= samples.length; at += 960) {
    packets.push(encoder.encode(Float32Array.from(samples.slice(at, at + 960))));
  }
  encoder.close();
  return { samples: Int16Array.from(samples, (sample) => sample * 32_767), packets };
}

export interface CallOptions {
  readonly caller: Speech;
  readonly business: Speech;
  /** When each begins to speak. Multiples of 20. */
  readonly callerAtMs: number;
  readonly businessAtMs: number;
  /** Multiple of 20. */
  readonly durationMs: number;
  readonly loss?: number;
  readonly jitterMs?: number;
  readonly seed?: number;
}

const START_MS = 1_000;

/** Has a recorder record a call in virtual time, and stops it. */
export async function recordCall(recorder: CallRecorder, options: CallOptions): Promise<void> {
  const {
    caller,
    business,
    callerAtMs,
    businessAtMs,
    durationMs,
    loss = 0,
    jitterMs = 0,
    seed = 1,
  } = options;
  const random = new SeededRandom(seed);
  const events: { readonly atMs: number; readonly run: (atMs: number) => void }[] = [];
  for (let n = 0; n < durationMs / 20; n += 1) {
    const own = business.packets[n - businessAtMs / 20] ?? SILENCE_PACKET;
    const run = (atMs: number): void => {
      recorder.business(own, atMs);
      recorder.tick(atMs);
    };
    events.push({ atMs: START_MS + n * 20, run });
    const theirs = caller.packets[n - callerAtMs / 20] ?? SILENCE_PACKET;
    const isLost = random.fraction() < loss;
    const atMs = START_MS + n * 20 + random.fraction() * jitterMs;
    const arrive = (nowMs: number): void => recorder.caller(theirs, 0, theirs.length, n * 960 + 77, nowMs);
    if (!isLost) events.push({ atMs, run: arrive });
  }
  events.sort((a, b) => a.atMs - b.atMs);
  for (const [index, { atMs, run }] of events.entries()) {
    run(atMs);
    // The disk is real.
    if (index % 500 === 499) await new Promise(setImmediate);
  }
  recorder.stop(START_MS + durationMs);
}

/** The channels of a WAV file, one after the other. */
export async function channelsOfWav(path: string): Promise<readonly Int16Array[]> {
  const wav = parseWav(await readFile(path));
  if (typeof wav === "string") throw new Error(wav);
  if (wav.sampleRateHz !== 48_000) throw new Error(`${wav.sampleRateHz} Hz`);
  return Array.from({ length: wav.channelCount }, (_, channel) =>
    wav.samples.filter((_sample, index) => index % wav.channelCount === channel),
  );
}
