/** Speech between these two is what every codec of a call keeps. */
const LOWEST_HZ = 120;
const HIGHEST_HZ = 5500;
export const BANDS = 16;
/** Frames are at least this long. */
const WINDOW_MS = 20;

/** Turns windows of PCM into the log energies of 16 bands, evenly spaced in mel. Keeps its buffers. */
export class BandEnergy {
  readonly windowSamples: number;
  readonly #window: Float64Array;
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;
  readonly #re: Float64Array;
  readonly #im: Float64Array;
  /** First FFT bin of each band, and the end of the last one. */
  readonly #edges: readonly number[];

  constructor(sampleRateHz: number) {
    let size = 64;
    while (size < (sampleRateHz * WINDOW_MS) / 1000) size *= 2;
    this.windowSamples = size;
    this.#window = Float64Array.from(
      { length: size },
      (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size),
    );
    this.#cos = Float64Array.from({ length: size / 2 }, (_, i) => Math.cos((2 * Math.PI * i) / size));
    this.#sin = Float64Array.from({ length: size / 2 }, (_, i) => -Math.sin((2 * Math.PI * i) / size));
    this.#re = new Float64Array(size);
    this.#im = new Float64Array(size);
    this.#edges = bandEdges(size, sampleRateHz);
  }

  /**
   * Writes `BANDS` energies in dB, 0 dB being a full-scale square of PCM, to `out` from `outOffset` on.
   * The window starts at sample `start` of `pcm`, which may lie outside: there is silence.
   */
  measure(pcm: Int16Array, start: number, out: Float64Array, outOffset: number): void {
    const size = this.windowSamples;
    for (let i = 0; i < size; i += 1) {
      this.#re[i] = ((pcm[start + i] ?? 0) / 32_768) * (this.#window[i] ?? 0);
      this.#im[i] = 0;
    }
    this.#transform();
    for (let band = 0; band < BANDS; band += 1) {
      let energy = 0;
      const end = this.#edges[band + 1] ?? 0;
      for (let bin = this.#edges[band] ?? 0; bin < end; bin += 1) {
        const re = this.#re[bin] ?? 0;
        const im = this.#im[bin] ?? 0;
        energy += re * re + im * im;
      }
      out[outOffset + band] = 10 * Math.log10(energy / (size * size) + 1e-12);
    }
  }

  /** In place, radix 2, decimation in time. */
  #transform(): void {
    const re = this.#re;
    const im = this.#im;
    const size = this.windowSamples;
    this.#reverseBits();
    for (let half = 1; half < size; half *= 2) {
      const stride = size / (2 * half);
      for (let block = 0; block < size; block += 2 * half) {
        for (let k = 0; k < half; k += 1) {
          const cos = this.#cos[k * stride] ?? 0;
          const sin = this.#sin[k * stride] ?? 0;
          const a = block + k;
          const b = a + half;
          const bRe = (re[b] ?? 0) * cos - (im[b] ?? 0) * sin;
          const bIm = (re[b] ?? 0) * sin + (im[b] ?? 0) * cos;
          re[b] = (re[a] ?? 0) - bRe;
          im[b] = (im[a] ?? 0) - bIm;
          re[a] = (re[a] ?? 0) + bRe;
          im[a] = (im[a] ?? 0) + bIm;
        }
      }
    }
  }

  /** The imaginary part is zero still, so the real one alone is put in order. */
  #reverseBits(): void {
    const re = this.#re;
    const size = this.windowSamples;
    for (let i = 1, j = 0; i < size; i += 1) {
      let bit = size >> 1;
      for (; (j & bit) !== 0; bit >>= 1) j ^= bit;
      j ^= bit;
      if (i < j) {
        const swap = re[i] ?? 0;
        re[i] = re[j] ?? 0;
        re[j] = swap;
      }
    }
  }
}

function bandEdges(size: number, sampleRateHz: number): readonly number[] {
  const highestHz = Math.min(HIGHEST_HZ, sampleRateHz * 0.45);
  const low = toMel(LOWEST_HZ);
  const step = (toMel(highestHz) - low) / BANDS;
  const edges: number[] = [];
  for (let i = 0; i <= BANDS; i += 1) {
    const bin = Math.round((toHz(low + step * i) * size) / sampleRateHz);
    // No band is empty: the lowest ones are narrower than a bin.
    edges.push(Math.max(bin, (edges[i - 1] ?? 0) + 1));
  }
  return edges;
}

function toMel(hz: number): number {
  return 2595 * Math.log10(1 + hz / 700);
}

function toHz(mel: number): number {
  return 700 * (10 ** (mel / 2595) - 1);
}
