const FULL_SCALE = 32_768;
/** Below every sound: the level of digital silence. */
const SILENCE_DBFS = -120;

/** Mean level of `count` samples from `start` on: 0 dB is a full-scale square, -120 dB the least. */
export function levelDbfs(pcm: Int16Array, start: number, count: number): number {
  let energy = 0;
  for (let i = start; i < start + count; i += 1) energy += (pcm[i] ?? 0) ** 2;
  return energyDbfs(energy, count);
}

/** The same of a sum of squares. */
export function energyDbfs(energy: number, count: number): number {
  if (!(energy > 0)) return SILENCE_DBFS;
  return Math.max(SILENCE_DBFS, 10 * Math.log10(energy / count / FULL_SCALE ** 2));
}
