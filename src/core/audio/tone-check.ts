/** Speech that tells itself from tones lies below 4 kHz: every second sample is enough. */
const DECIMATION = 2;
const BIN_HZ = 50;
/** 20 ms at 8 kHz: bins of 50 Hz. */
const WINDOW_SAMPLES = 160;
/** 2,200 Hz: above the highest key tone (1,633 Hz) and a fax's 2,100 Hz. */
const BINS = 44;
/** A Hann window spreads a tone over so many bins to each side. */
const PEAK_REACH = 2;

/** Share of the energy that one peak has in a tone; so much of it at one harmonic is rare in speech. */
const TONE_SHARE = 0.9;
/** Between these two a voice's own pitch may have all the energy: a hum with closed lips. */
const PITCH_LOWEST_HZ = 110;
const PITCH_HIGHEST_HZ = 380;
/** Share of the energy that the two peaks of a key have, and the lesser of them. */
const KEY_SHARE = 0.85;
const KEY_LEAST_SHARE = 0.04;
/** ITU-T Q.23: 697 to 941 Hz with 1,209 to 1,633 Hz; the rest is what a bin leaves open. */
const KEY_LOW_HZ: readonly [number, number] = [650, 980];
const KEY_HIGH_HZ: readonly [number, number] = [1150, 1690];

/**
 * Tells tones (keys, beeps, hum) from speech: voice detectors take both for voice. It is meant for what a voice detector has
 * found: noise is no tone either. Of speech, one frame in a hundred looks like a tone.
 */
export class ToneCheck {
  /** Samples of 16 kHz that it looks at: 20 ms. */
  readonly windowSamples: number = WINDOW_SAMPLES * DECIMATION;
  readonly #window = Float64Array.from(
    { length: WINDOW_SAMPLES },
    (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / WINDOW_SAMPLES),
  );
  readonly #coefficients = Float64Array.from(
    { length: BINS + 1 },
    (_, bin) => 2 * Math.cos((2 * Math.PI * bin) / WINDOW_SAMPLES),
  );
  readonly #samples = new Float64Array(WINDOW_SAMPLES);
  readonly #power = new Float64Array(BINS + 1);
  /** Of the peak found last. */
  #peakHz = 0;
  #peakPower = 0;

  /** Whether the 20 ms of 16 kHz from `start` on are one tone or the two of a key. */
  isTone(samples: Int16Array, start: number): boolean {
    const total = this.#measure(samples, start);
    this.#takePeak();
    const firstHz = this.#peakHz;
    const first = this.#peakPower / total;
    if (first > TONE_SHARE && (firstHz < PITCH_LOWEST_HZ || firstHz > PITCH_HIGHEST_HZ)) return true;
    this.#takePeak();
    const second = this.#peakPower / total;
    if (first + second < KEY_SHARE || second < KEY_LEAST_SHARE) return false;
    const lowHz = Math.min(firstHz, this.#peakHz);
    const highHz = Math.max(firstHz, this.#peakHz);
    return isWithin(lowHz, KEY_LOW_HZ) && isWithin(highHz, KEY_HIGH_HZ);
  }

  /** Fills the bins, and returns the energy of all there is, in their measure. */
  #measure(input: Int16Array, start: number): number {
    let energy = 0;
    for (let i = 0; i < WINDOW_SAMPLES; i += 1) {
      const at = start + i * DECIMATION;
      const sample = ((input[at] ?? 0) + (input[at + 1] ?? 0)) * (this.#window[i] ?? 0);
      this.#samples[i] = sample;
      energy += sample * sample;
    }
    for (let bin = 0; bin <= BINS; bin += 1) this.#power[bin] = this.#goertzel(this.#coefficients[bin] ?? 0);
    // Parseval, one side of the spectrum, of which half of 0 Hz is. Never 0, as it divides.
    this.#power[0] = (this.#power[0] ?? 0) / 2;
    return (energy * WINDOW_SAMPLES) / 2 + 1;
  }

  #goertzel(coefficient: number): number {
    let last = 0;
    let beforeLast = 0;
    for (let i = 0; i < WINDOW_SAMPLES; i += 1) {
      const next = (this.#samples[i] ?? 0) + coefficient * last - beforeLast;
      beforeLast = last;
      last = next;
    }
    return last * last + beforeLast * beforeLast - coefficient * last * beforeLast;
  }

  /** Finds the highest peak and takes it out. */
  #takePeak(): void {
    const power = this.#power;
    let peak = 0;
    for (let bin = 1; bin <= BINS; bin += 1) if ((power[bin] ?? 0) > (power[peak] ?? 0)) peak = bin;
    let sum = 0;
    let moment = 0;
    for (let bin = Math.max(0, peak - PEAK_REACH); bin <= Math.min(BINS, peak + PEAK_REACH); bin += 1) {
      sum += power[bin] ?? 0;
      moment += (power[bin] ?? 0) * bin;
      power[bin] = 0;
    }
    this.#peakPower = sum;
    this.#peakHz = sum > 0 ? (moment / sum) * BIN_HZ : 0;
  }
}

function isWithin(value: number, [lowest, highest]: readonly [number, number]): boolean {
  return value >= lowest && value <= highest;
}
