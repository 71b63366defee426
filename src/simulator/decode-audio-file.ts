import { decodeVoiceFile } from "./phone/voice-file.ts";

const SAMPLE_RATE_HZ = 48_000;

/**
 * Decodes a file as the phone would say it: mono, 48 kHz, 16 bit. For comparing with `heardPcm`.
 * @throws {RingbackError} `MEDIA_FILE_UNUSABLE`.
 */
export async function decodeAudioFile(path: string): Promise<Int16Array> {
  const { samples, sampleRateHz } = await decodeVoiceFile(path);
  const ratio = sampleRateHz / SAMPLE_RATE_HZ;
  const pcm = new Int16Array(Math.floor(samples.length / ratio));
  for (let i = 0; i < pcm.length; i += 1) {
    const left = Math.floor(i * ratio);
    const a = samples[left] ?? 0;
    const value = a + ((samples[left + 1] ?? a) - a) * (i * ratio - left);
    pcm[i] = Math.round(Math.max(-1, Math.min(1, value)) * 32_767);
  }
  return pcm;
}
