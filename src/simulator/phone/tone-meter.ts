import { energyDbfs } from "./level.ts";

/** How much of a tone there is in a window. */
export interface ToneLevel {
  /** 0 dB is a full-scale square; a full-scale tone has -3 dB. */
  readonly levelDbfs: number;
  /** The tone's part of the window's energy, 0 to 1. */
  readonly share: number;
}

/** Finds the sine of one frequency that fits a window of PCM best, whatever its phase. */
export class ToneMeter {
  readonly samples: number;
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;
  /** Products of the two with themselves and each other: in a short window they are not orthogonal. */
  readonly #cosCos: number;
  readonly #sinSin: number;
  readonly #cosSin: number;

  /** @param samples Length of the window: two periods at least, or a tone of a low frequency is not told from others. */
  constructor(frequencyHz: number, sampleRateHz: number, samples: number) {
    this.samples = samples;
    const step = (2 * Math.PI * frequencyHz) / sampleRateHz;
    this.#cos = Float64Array.from({ length: samples }, (_, i) => Math.cos(step * i));
    this.#sin = Float64Array.from({ length: samples }, (_, i) => Math.sin(step * i));
    this.#cosCos = dot(this.#cos, this.#cos);
    this.#sinSin = dot(this.#sin, this.#sin);
    this.#cosSin = dot(this.#cos, this.#sin);
  }

  /** Measures the window that ends before sample `end` of `pcm`. */
  measure(pcm: Int16Array, end: number): ToneLevel {
    const start = end - this.samples;
    let cos = 0;
    let sin = 0;
    let energy = 0;
    for (let i = 0; i < this.samples; i += 1) {
      const sample = pcm[start + i] ?? 0;
      cos += sample * (this.#cos[i] ?? 0);
      sin += sample * (this.#sin[i] ?? 0);
      energy += sample * sample;
    }
    // Energy of the least-squares fit: the projection onto the plane of the two.
    const determinant = this.#cosCos * this.#sinSin - this.#cosSin ** 2;
    const fitted =
      (cos ** 2 * this.#sinSin - 2 * cos * sin * this.#cosSin + sin ** 2 * this.#cosCos) / determinant;
    return {
      levelDbfs: energyDbfs(fitted, this.samples),
      share: energy > 0 ? Math.min(1, fitted / energy) : 0,
    };
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}
