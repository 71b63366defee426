// What people say in the bench: the sample as a phone takes it in, in samples and in the packets that it makes of them.
import { Resampler } from "../dist/core/audio/resampler.js";
import { decodeFile } from "../dist/media/file-decoder.js";
import { OpusEncoder } from "../dist/media/opus-codec.js";
import { WorkSlices } from "../dist/media/work-slices.js";
import { systemClock } from "../dist/platform/clock.js";

/** WhatsApp's offers ask for it: `maxplaybackrate=16000`, `sprop-maxcapturerate=16000`. */
export const SPEECH_RATE_HZ = 16_000;
/** 20 ms. */
export const FRAME_SAMPLES = 320;

const FILE_RATE_HZ = 48_000;
const FULL_SCALE = 32_767;
/** Phones have the time for the best. */
const COMPLEXITY = 10;
const SLICE_MS = 1_000;

/** @returns 16 bits, mono, at 16 kHz: a whole number of frames. */
export async function speechSamples(file) {
  const resampler = new Resampler(FILE_RATE_HZ, SPEECH_RATE_HZ);
  const samples = [];
  for await (const piece of decodeFile(file, new WorkSlices(systemClock, SLICE_MS))) {
    for (const sample of resampler.process(piece)) samples.push(Math.round(sample * FULL_SCALE));
  }
  return Int16Array.from(samples.slice(0, samples.length - (samples.length % FRAME_SAMPLES)));
}

/** @returns Opus packets of 20 ms. */
export async function speechPackets(file) {
  const samples = await speechSamples(file);
  const encoder = await OpusEncoder.create({ rateHz: SPEECH_RATE_HZ, complexity: COMPLEXITY });
  const packets = [];
  for (let at = 0; at < samples.length; at += FRAME_SAMPLES) {
    packets.push(encoder.encode(samples.subarray(at, at + FRAME_SAMPLES)).slice());
  }
  encoder.close();
  return packets;
}

/** Where the call of this number begins in so many frames: no two near ones at the same word. */
export function firstFrame(call, frames) {
  return (call * 101) % frames;
}
