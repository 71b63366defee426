/** Zero crossings of the filter on each side: 16 put the transition band within a tenth of the band. */
const HALF_CROSSINGS = 16;
/** Filter positions between two samples; between positions the filter is interpolated linearly. */
const PHASES = 256;
/** Kaiser window with about 90 dB of stop band. */
const KAISER_BETA = 9;
/** Pass band, as a part of the lower rate's: leaves room for the transition before aliases begin. */
const CUTOFF = 0.93;

/** Longest filter: keeps the work per sample bounded when a file names an absurd rate. */
const MAX_RATIO = 32;

/**
 * Changes the sample rate of a mono stream with a linear-phase filter: any rate to any rate, within 32 times.
 *
 * Output position n lies at input position n × input rate / output rate, held as an exact fraction, so that a file of any
 * length keeps its duration.
 */
export class Resampler {
  readonly #inputRateHz: number;
  readonly #outputRateHz: number;
  readonly #halfTaps: number;
  readonly #filter: Float32Array;
  /** The last samples of earlier input, then the input at hand. */
  #samples: Float32Array;
  #sampleCount: number;
  /** The next output lies at `#position + #fraction / outputRate` in `#samples`. */
  #position: number;
  #fraction = 0;
  #output = new Float32Array(0);

  /** @throws {RangeError} For rates that are no positive integers or more than 32 times apart. */
  constructor(inputRateHz: number, outputRateHz: number) {
    const ratio = Math.max(inputRateHz / outputRateHz, outputRateHz / inputRateHz);
    if (!Number.isInteger(inputRateHz) || !Number.isInteger(outputRateHz) || !(ratio <= MAX_RATIO)) {
      throw new RangeError(`cannot resample ${inputRateHz} Hz to ${outputRateHz} Hz`);
    }
    this.#inputRateHz = inputRateHz;
    this.#outputRateHz = outputRateHz;
    // Toward a lower rate the filter cuts lower, and is longer by as much.
    const scale = Math.min(1, outputRateHz / inputRateHz);
    this.#halfTaps = Math.ceil(HALF_CROSSINGS / scale);
    this.#filter = makeFilter(this.#halfTaps, scale);
    // Silence stands before the first sample, so that the output begins where the input does.
    this.#samples = new Float32Array(4096 + 2 * this.#halfTaps);
    this.#sampleCount = this.#halfTaps;
    this.#position = this.#halfTaps;
  }

  /** @returns As much output as the input allows. The samples are valid until the next call. */
  process(input: Float32Array): Float32Array {
    this.#append(input);
    const output = this.#convert(this.#sampleCount - this.#halfTaps);
    this.#dropUsed();
    return output;
  }

  /** The end of the stream: the rest of the output. Nothing may follow. */
  flush(): Float32Array {
    const end = this.#sampleCount;
    this.#append(new Float32Array(this.#halfTaps));
    return this.#convert(end);
  }

  #append(input: Float32Array): void {
    const needed = this.#sampleCount + input.length;
    if (needed > this.#samples.length) {
      const larger = new Float32Array(needed * 2);
      larger.set(this.#samples.subarray(0, this.#sampleCount));
      this.#samples = larger;
    }
    this.#samples.set(input, this.#sampleCount);
    this.#sampleCount = needed;
  }

  /** Makes every output that lies before `end`, an index of `#samples`. */
  #convert(end: number): Float32Array {
    const maxOutputs = Math.ceil(((end - this.#position) * this.#outputRateHz) / this.#inputRateHz) + 1;
    if (this.#output.length < maxOutputs) this.#output = new Float32Array(maxOutputs);
    const step = Math.floor(this.#inputRateHz / this.#outputRateHz);
    const stepFraction = this.#inputRateHz % this.#outputRateHz;
    let count = 0;
    while (this.#position < end) {
      this.#output[count] = this.#interpolate();
      count += 1;
      this.#position += step;
      this.#fraction += stepFraction;
      if (this.#fraction >= this.#outputRateHz) {
        this.#fraction -= this.#outputRateHz;
        this.#position += 1;
      }
    }
    return this.#output.subarray(0, count);
  }

  #interpolate(): number {
    const samples = this.#samples;
    const filter = this.#filter;
    const taps = 2 * this.#halfTaps;
    const exactPhase = (this.#fraction / this.#outputRateHz) * PHASES;
    const phase = Math.floor(exactPhase);
    const weight = exactPhase - phase;
    const near = phase * taps;
    const far = near + taps;
    const first = this.#position - this.#halfTaps + 1;
    let nearSum = 0;
    let farSum = 0;
    for (let tap = 0; tap < taps; tap += 1) {
      const sample = samples[first + tap] ?? 0;
      nearSum += sample * (filter[near + tap] ?? 0);
      farSum += sample * (filter[far + tap] ?? 0);
    }
    return nearSum + (farSum - nearSum) * weight;
  }

  /** Keeps what the filter still reaches back to. */
  #dropUsed(): void {
    const used = this.#position - this.#halfTaps;
    if (used <= 0) return;
    const drop = Math.min(used, this.#sampleCount);
    this.#samples.copyWithin(0, drop, this.#sampleCount);
    this.#sampleCount -= drop;
    this.#position -= drop;
  }
}

/** One row of taps for each phase, and one more for the interpolation of the last. */
function makeFilter(halfTaps: number, scale: number): Float32Array {
  const taps = 2 * halfTaps;
  const cutoff = scale * CUTOFF;
  const filter = new Float32Array((PHASES + 1) * taps);
  for (let phase = 0; phase <= PHASES; phase += 1) {
    const row = filter.subarray(phase * taps, (phase + 1) * taps);
    let sum = 0;
    for (let tap = 0; tap < taps; tap += 1) {
      // Distance from the output's position to the tap's sample, in samples.
      const distance = tap - halfTaps + 1 - phase / PHASES;
      const value = sinc(distance * cutoff) * kaiser(distance / halfTaps);
      row[tap] = value;
      sum += value;
    }
    // Each phase passes a constant unchanged, so that none adds a hum of its own.
    for (let tap = 0; tap < taps; tap += 1) row[tap] = (row[tap] ?? 0) / sum;
  }
  return filter;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

function kaiser(x: number): number {
  return Math.abs(x) >= 1 ? 0 : bessel0(KAISER_BETA * Math.sqrt(1 - x * x)) / bessel0(KAISER_BETA);
}

/** Modified Bessel function of the first kind, order 0, by its power series. */
function bessel0(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > sum * 1e-12; k += 1) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}
