import { Application, Bandwidth, createEncoder, type SampleRate } from "libopus-wasm";
import type { SpeechPart } from "./speech.ts";
import { decodeVoiceFile, voiceFileVersion } from "./voice-file.ts";

/** Rates that Opus takes as they are; audio of another rate is brought to the last one. */
const OPUS_RATES_HZ = [8000, 12_000, 16_000, 24_000, 48_000] as const;
const BITRATE_BPS = 20_000;
/** Half of libopus' default effort: a phone call does not hear the difference, and the CPU does. */
const COMPLEXITY = 5;
/** Encoding pauses this often, so that calls that run in the process keep their pace. */
const PACKETS_PER_TURN = 25;
const PACKET_MS = 20;
const TONE_RATE_HZ = 16_000;
const TONE_AMPLITUDE = 8000;
/** Encoded pieces that are kept, the least recently made goes first. */
const MAX_CACHED = 16;

/** Mono PCM of any rate. */
export interface VoicePcm {
  readonly samples: Float32Array;
  readonly sampleRateHz: number;
}

/**
 * Encodes a part as 48 kHz-clocked Opus, mono, wideband, about 20 kbit/s, as WhatsApp's phones send. What was encoded before
 * is shared.
 * @throws {RingbackError} `MEDIA_FILE_UNUSABLE`.
 */
export async function encodePart(part: SpeechPart): Promise<readonly Buffer[]> {
  if ("file" in part) {
    const key = `file ${await voiceFileVersion(part.file)} ${part.file}`;
    return await cached(key, async () => encodePcm(await decodeVoiceFile(part.file)));
  }
  if ("tone" in part) {
    const { frequencyHz, durationMs } = part.tone;
    return await cached(`tone ${frequencyHz} ${durationMs}`, () =>
      encodePcm(toneOf(frequencyHz, durationMs)),
    );
  }
  if ("pcm" in part) {
    return await encodePcm({
      samples: Float32Array.from(part.pcm, (sample) => sample / 32_768),
      sampleRateHz: part.rateHz,
    });
  }
  const silence = await silentPacket();
  return new Array<Buffer>(Math.ceil(part.silenceMs / PACKET_MS)).fill(silence);
}

/** May be repeated for ever: the encoder has settled by then. */
export async function silentPacket(): Promise<Buffer> {
  const second = { samples: new Float32Array(TONE_RATE_HZ), sampleRateHz: TONE_RATE_HZ };
  const packet = (await cached("silence", () => encodePcm(second))).at(-1);
  if (packet === undefined) throw new Error("a second of silence has packets");
  return packet;
}

const cache = new Map<string, Promise<readonly Buffer[]>>();

function cached(key: string, make: () => Promise<readonly Buffer[]>): Promise<readonly Buffer[]> {
  const known = cache.get(key);
  if (known !== undefined) return known;
  const oldest = cache.keys().next();
  if (cache.size === MAX_CACHED && !oldest.done) cache.delete(oldest.value);
  const made = make();
  cache.set(key, made);
  // A failure is not kept: the file may be there next time.
  made.catch(() => cache.delete(key));
  return made;
}

function toneOf(frequencyHz: number, durationMs: number): VoicePcm {
  const samples = new Float32Array(Math.round((TONE_RATE_HZ * durationMs) / 1000));
  const step = (2 * Math.PI * frequencyHz) / TONE_RATE_HZ;
  for (let i = 0; i < samples.length; i += 1) samples[i] = (TONE_AMPLITUDE / 32_768) * Math.sin(step * i);
  return { samples, sampleRateHz: TONE_RATE_HZ };
}

async function encodePcm(source: VoicePcm): Promise<readonly Buffer[]> {
  const { samples, sampleRateHz } = toOpusRate(source);
  const frameSamples = sampleRateHz / 50;
  const encoder = await createEncoder({
    channels: 1,
    sampleRate: sampleRateHz,
    application: Application.Voip,
    bitrate: BITRATE_BPS,
    complexity: COMPLEXITY,
    maxBandwidth: Bandwidth.Wideband,
  });
  try {
    const packets: Buffer[] = [];
    const frame = new Float32Array(frameSamples);
    for (let start = 0; start < samples.length; start += frameSamples) {
      frame.fill(0);
      frame.set(samples.subarray(start, start + frameSamples));
      packets.push(Buffer.from(encoder.encodeFloat(frame)));
      if (packets.length % PACKETS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    return packets;
  } finally {
    encoder.free();
  }
}

function toOpusRate(source: VoicePcm): { samples: Float32Array; sampleRateHz: SampleRate } {
  const native = OPUS_RATES_HZ.find((rate) => rate === source.sampleRateHz);
  if (native !== undefined) return { samples: source.samples, sampleRateHz: native };
  // Straight lines between samples are good enough here: what they add lies above the wideband of a phone.
  const ratio = source.sampleRateHz / 48_000;
  const samples = new Float32Array(Math.floor(source.samples.length / ratio));
  for (let i = 0; i < samples.length; i += 1) {
    const at = i * ratio;
    const left = Math.floor(at);
    const a = source.samples[left] ?? 0;
    samples[i] = a + ((source.samples[left + 1] ?? a) - a) * (at - left);
  }
  return { samples, sampleRateHz: 48_000 };
}
