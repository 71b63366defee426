import { writeFileSync } from "node:fs";
import { createDecoder } from "libopus-wasm";
import { serializeWav } from "../../src/core/audio/wav.ts";

export const SAMPLE_RATE_HZ = 48_000;

/** A sine: how high, and its peak as a fraction of full scale. */
export interface Tone {
  readonly hz: number;
  readonly level: number;
}

/** What each side says. Far from one another, and no harmonics. */
export const OUR_TONE: Tone = { hz: 1_000, level: 0.25 };
export const PEER_TONE: Tone = { hz: 440, level: 0.3 };

/** Enough for a frequency to be exact to 2 Hz. */
const WINDOW_SAMPLES = SAMPLE_RATE_HZ / 2;

/** Writes a second of it; it holds whole periods, so that it can be played over and over. */
export function writeToneFile(path: string, { hz, level }: Tone): string {
  const samples = Int16Array.from(
    { length: SAMPLE_RATE_HZ },
    (_, i) => level * 32_767 * Math.sin((2 * Math.PI * hz * i) / SAMPLE_RATE_HZ),
  );
  writeFileSync(path, serializeWav({ sampleRateHz: SAMPLE_RATE_HZ, channelCount: 1, samples }));
  return path;
}

/** The last half second of a tone: its frequency by its zero crossings, its level by its power. */
export function measureTone(pcm: Int16Array): Tone {
  const window = pcm.subarray(Math.max(0, pcm.length - WINDOW_SAMPLES));
  let crossings = 0;
  let energy = 0;
  let last = 0;
  for (const sample of window) {
    if (last < 0 && sample >= 0) crossings += 1;
    last = sample;
    energy += (sample / 32_768) ** 2;
  }
  const length = Math.max(1, window.length);
  return { hz: (crossings * SAMPLE_RATE_HZ) / length, level: Math.sqrt((2 * energy) / length) };
}

/** Of Opus packets: what the window needs, and as much before it for the decoder to settle. */
const WINDOW_PACKETS = 50;

/** The same of Opus packets. */
export async function measurePackets(packets: readonly Uint8Array[]): Promise<Tone> {
  const decoder = await createDecoder({ channels: 1, sampleRate: SAMPLE_RATE_HZ });
  const decoded = packets.slice(-WINDOW_PACKETS).map((packet) => decoder.decode(packet).slice());
  decoder.free();
  const pcm = new Int16Array(decoded.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of decoded) {
    pcm.set(part, offset);
    offset += part.length;
  }
  return measureTone(pcm);
}
