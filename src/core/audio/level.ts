/** What silence is given: 16 bits reach down to -90. */
const SILENCE_DBFS = -100;
const FULL_SCALE = 32_768;

/** Level of `length` samples from `start` on, in dB: 0 is a square wave at full scale, -3 the loudest sine. Silence is -100. */
export function levelDbfs(samples: Int16Array, start: number, length: number): number {
  let sum = 0;
  for (let i = start; i < start + length; i += 1) {
    const sample = samples[i] ?? 0;
    sum += sample * sample;
  }
  if (sum === 0) return SILENCE_DBFS;
  return 10 * Math.log10(sum / length / FULL_SCALE ** 2);
}
