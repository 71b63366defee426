import { BANDS, BandEnergy } from "./band-energy.ts";
import { type FeatureFrames, followDelays } from "./delay-path.ts";

/** Step of the envelopes, and of the frames that are compared. */
const FRAME_MS = 20;
/** Step of the second, finer search. A codec's delay is no multiple of a frame. */
const FINE_MS = 2.5;
/** The best places of the first search that are looked at closely. */
const CANDIDATES = 3;
/** Two candidates are at least this far apart. */
const CANDIDATE_SPACING_FRAMES = 5;
/** Pauses that are followed, before and after the best place, all together: 0.6 s. */
const MAX_DELAY_FRAMES = 30;
/** Frames this far below the loudest one of the reference are pauses. */
const VOICED_RANGE_DB = 40;
/** What is this far below the loudest band of its side is noise of the codec. */
const BAND_RANGE_DB = 45;
/** Nothing below counts as sound on any side, however quiet that side is. */
const SILENCE_DB = -75;
/** Bands that move less than this, as a standard deviation over time, say nothing: silence, a tone. */
const MIN_DEVIATION_DB = 1;

export interface AudioSimilarity {
  /** 0: nothing in common. 1: the same audio. Speech through Opus at 24 kbit/s has 0.9 and more. */
  readonly similarity: number;
  /** Where the reference begins in what was heard, in ms; negative when its beginning was not heard. */
  readonly offsetMs: number;
}

/**
 * Finds `reference` in `heard` and says how much of it is there.
 *
 * The place is where the two loudness envelopes agree best. The similarity is the correlation of the log
 * energies of 16 bands (120 to 5500 Hz), each freed of its mean, over the frames in which the reference is
 * not silent; so it depends neither on loudness nor on the phase that a codec does not keep. A sender that was held up
 * makes pauses: what comes after one is heard all the same, only later.
 *
 * @param reference Mono PCM. Without any sound in it the similarity is 0.
 * @param heard Mono PCM of the same rate.
 */
export function compareAudio(
  reference: Int16Array,
  heard: Int16Array,
  sampleRateHz: number,
): AudioSimilarity {
  const frameSamples = Math.round((sampleRateHz * FRAME_MS) / 1000);
  const frames = Math.floor(reference.length / frameSamples);
  if (frames === 0 || heard.length === 0) return { similarity: 0, offsetMs: 0 };

  const bands = new BandEnergy(sampleRateHz);
  const expected = new Bands(bands, reference, 0, frames, frameSamples);
  const voiced = voicedFrames(envelope(reference, 0, frames, frameSamples));
  let best: AudioSimilarity = { similarity: 0, offsetMs: 0 };
  for (const coarse of likelyOffsets(reference, heard, frameSamples)) {
    const offset = refineOffset(reference, heard, coarse, frameSamples, sampleRateHz);
    const start = offset - MAX_DELAY_FRAMES * frameSamples;
    const actual = new Bands(bands, heard, start, frames + 2 * MAX_DELAY_FRAMES, frameSamples);
    const delays = followDelays(expected, actual, 2 * MAX_DELAY_FRAMES);
    const similarity = Math.max(0, correlate(expected, actual, delays, voiced));
    if (similarity < best.similarity) continue;
    const begin = start + (delays[voiced[0] ?? 0] ?? 0) * frameSamples;
    best = { similarity, offsetMs: (begin / sampleRateHz) * 1000 };
  }
  return best;
}

/** Band energies of consecutive frames, limited from below to what can be heard. */
class Bands implements FeatureFrames {
  readonly values: Float64Array;
  readonly frames: number;
  readonly features: number = BANDS;

  constructor(bands: BandEnergy, pcm: Int16Array, start: number, frames: number, frameSamples: number) {
    this.frames = frames;
    this.values = new Float64Array(frames * BANDS);
    for (let i = 0; i < frames; i += 1) bands.measure(pcm, start + i * frameSamples, this.values, i * BANDS);
    let loudest = SILENCE_DB;
    for (const value of this.values) if (value > loudest) loudest = value;
    const floor = Math.max(SILENCE_DB, loudest - BAND_RANGE_DB);
    for (let i = 0; i < this.values.length; i += 1) this.values[i] = Math.max(floor, this.values[i] ?? floor);
  }

  at(frame: number, band: number): number {
    return this.values[frame * BANDS + band] ?? 0;
  }
}

function correlate(expected: Bands, actual: Bands, delays: Int16Array, voiced: readonly number[]): number {
  const heardAt = voiced.map((frame) => frame + (delays[frame] ?? 0));
  let covariance = 0;
  let expectedVariance = 0;
  let actualVariance = 0;
  for (let band = 0; band < BANDS; band += 1) {
    const expectedMean = meanOf(expected, band, voiced);
    const actualMean = meanOf(actual, band, heardAt);
    for (let i = 0; i < voiced.length; i += 1) {
      const a = expected.at(voiced[i] ?? 0, band) - expectedMean;
      const b = actual.at(heardAt[i] ?? 0, band) - actualMean;
      covariance += a * b;
      expectedVariance += a * a;
      actualVariance += b * b;
    }
  }
  const least = voiced.length * BANDS * MIN_DEVIATION_DB ** 2;
  if (voiced.length < 2 || expectedVariance < least || actualVariance < least) return 0;
  return covariance / Math.sqrt(expectedVariance * actualVariance);
}

function meanOf(bands: Bands, band: number, frames: readonly number[]): number {
  let sum = 0;
  for (const frame of frames) sum += bands.at(frame, band);
  return sum / frames.length;
}

function voicedFrames(loudness: Float64Array): readonly number[] {
  let loudest = SILENCE_DB;
  for (const value of loudness) if (value > loudest) loudest = value;
  const voiced: number[] = [];
  for (let i = 0; i < loudness.length; i += 1) {
    if ((loudness[i] ?? SILENCE_DB) > Math.max(SILENCE_DB, loudest - VOICED_RANGE_DB)) voiced.push(i);
  }
  return voiced;
}

/** Loudness in dB of consecutive windows of `stepSamples`; silence outside the PCM. */
function envelope(pcm: Int16Array, start: number, count: number, stepSamples: number): Float64Array {
  const loudness = new Float64Array(count);
  for (let i = 0; i < count; i += 1) {
    const from = Math.max(0, start + i * stepSamples);
    const to = Math.min(pcm.length, start + (i + 1) * stepSamples);
    let energy = 0;
    for (let j = from; j < to; j += 1) energy += ((pcm[j] ?? 0) / 32_768) ** 2;
    loudness[i] = Math.max(SILENCE_DB, 10 * Math.log10(energy / stepSamples + 1e-12));
  }
  return loudness;
}

/** The best offsets in samples, a whole number of frames each, by the correlation of the envelopes. */
function likelyOffsets(reference: Int16Array, heard: Int16Array, frameSamples: number): readonly number[] {
  const a = centred(envelope(reference, 0, Math.floor(reference.length / frameSamples), frameSamples));
  const b = envelope(heard, 0, Math.ceil(heard.length / frameSamples), frameSamples);
  const scores: { lag: number; score: number }[] = [];
  for (let lag = 1 - a.length; lag < b.length; lag += 1) scores.push({ lag, score: agreement(a, b, lag) });
  scores.sort((left, right) => right.score - left.score);
  const chosen: number[] = [];
  for (const { lag } of scores) {
    if (chosen.length === CANDIDATES) break;
    if (chosen.every((other) => Math.abs(other - lag) >= CANDIDATE_SPACING_FRAMES)) chosen.push(lag);
  }
  return chosen.map((lag) => lag * frameSamples);
}

function centred(values: Float64Array): Float64Array {
  let sum = 0;
  for (const value of values) sum += value;
  return values.map((value) => value - sum / values.length);
}

/** Correlation of the centred `a` with `b` from `lag` on; outside of `b` is silence. */
function agreement(a: Float64Array, b: Float64Array, lag: number): number {
  let product = 0;
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < a.length; i += 1) {
    const value = (b[i + lag] ?? SILENCE_DB) - SILENCE_DB;
    product += (a[i] ?? 0) * value;
    sum += value;
    squares += value * value;
  }
  const variance = squares - (sum * sum) / a.length;
  return variance > 1e-6 ? product / Math.sqrt(variance) : Number.NEGATIVE_INFINITY;
}

/** Looks one frame to both sides of a coarse offset, in steps of 2.5 ms. */
function refineOffset(
  reference: Int16Array,
  heard: Int16Array,
  coarse: number,
  frameSamples: number,
  sampleRateHz: number,
): number {
  const stepSamples = Math.round((sampleRateHz * FINE_MS) / 1000);
  const reach = Math.ceil(frameSamples / stepSamples);
  const count = Math.floor(reference.length / stepSamples);
  const a = centred(envelope(reference, 0, count, stepSamples));
  const b = envelope(heard, coarse - reach * stepSamples, count + 2 * reach, stepSamples);
  let best = reach;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (let lag = 0; lag <= 2 * reach; lag += 1) {
    const score = agreement(a, b, lag);
    if (score > bestScore) {
      best = lag;
      bestScore = score;
    }
  }
  return coarse + (best - reach) * stepSamples;
}
