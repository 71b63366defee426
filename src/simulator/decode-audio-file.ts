import { Resampler } from "../core/audio/resampler.ts";
import { decodeVoiceFile } from "./phone/voice-file.ts";

const SAMPLE_RATE_HZ = 48_000;

/**
 * Decodes a file of the caller's voice to mono, 48 kHz, 16 bit: what `heardPcm` is compared with.
 * @throws {RingbackError} `MEDIA_FILE_UNUSABLE`.
 */
export async function decodeAudioFile(path: string): Promise<Int16Array> {
  const { samples, sampleRateHz } = await decodeVoiceFile(path);
  if (sampleRateHz === SAMPLE_RATE_HZ) return toPcm([samples]);
  const resampler = new Resampler(sampleRateHz, SAMPLE_RATE_HZ);
  // What process returns is overwritten by flush.
  return toPcm([resampler.process(samples).slice(), resampler.flush()]);
}

function toPcm(parts: readonly Float32Array[]): Int16Array {
  const pcm = new Int16Array(parts.reduce((length, part) => length + part.length, 0));
  let count = 0;
  for (const part of parts) {
    for (const value of part) {
      pcm[count] = Math.round(Math.max(-1, Math.min(1, value)) * 32_767);
      count += 1;
    }
  }
  return pcm;
}
