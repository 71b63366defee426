/** One or two sine waves that sound together. */
export interface ToneSpec {
  /** 50 to 7,000 Hz. Two frequencies sound at once, as keys and dial tones do. */
  readonly frequencyHz: number | readonly [number, number];
  /** 20 to 60,000 ms. */
  readonly durationMs: number;
}

/** About -9 dBFS for one wave, as loud as speech; two share it. */
const AMPLITUDE = 0.35;

/** Samples of a tone, -1 to 1. */
export function mixTone({ frequencyHz, durationMs }: ToneSpec, rateHz: number): Float32Array {
  const frequencies = [frequencyHz].flat();
  const samples = new Float32Array(Math.round((durationMs * rateHz) / 1_000));
  const amplitude = AMPLITUDE / frequencies.length;
  for (const frequency of frequencies) {
    const step = (2 * Math.PI * frequency) / rateHz;
    for (let i = 0; i < samples.length; i += 1) {
      samples[i] = (samples[i] ?? 0) + amplitude * Math.sin(step * i);
    }
  }
  return samples;
}

/** ITU-T Q.23: the low and the high frequency of each row and column of keys. */
const LOW_HZ = [697, 770, 852, 941] as const;
const HIGH_HZ = [1209, 1336, 1477, 1633] as const;
const KEYS = ["123A", "456B", "789C", "*0#D"] as const;

/** The two frequencies of a key, in-band; null for what is none. */
export function keyFrequencies(key: string): readonly [number, number] | null {
  for (const [row, keys] of KEYS.entries()) {
    const column = keys.indexOf(key);
    const low = LOW_HZ[row];
    const high = HIGH_HZ[column];
    if (low !== undefined && high !== undefined) return [low, high];
  }
  return null;
}
