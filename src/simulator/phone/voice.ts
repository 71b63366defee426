import { Application, Bandwidth, createEncoder, type SampleRate } from "libopus-wasm";
import { RingbackError } from "../../errors.ts";
import type { PhoneVoice } from "./phone-media.ts";
import { decodeVoiceFile, voiceFileVersion } from "./voice-file.ts";

/** Rates that Opus takes as they are; audio of another rate is brought to the last one. */
const OPUS_RATES_HZ = [8000, 12_000, 16_000, 24_000, 48_000] as const;
const BITRATE_BPS = 20_000;
/** Half of libopus' default effort: a phone call does not hear the difference, and the CPU does. */
const COMPLEXITY = 5;
/** Encoding pauses this often, so that calls that run in the process keep their pace. */
const PACKETS_PER_TURN = 25;
const TONE_MS = 2000;
const TONE_AMPLITUDE = 8000;
/** Encoded voices that are kept, the least recently made goes first. */
const MAX_CACHED_VOICES = 16;

/** Mono PCM of any rate. */
export interface VoicePcm {
  readonly samples: Float32Array;
  readonly sampleRateHz: number;
}

/** Gives one Opus packet (20 ms) at a time. Never ends: after a file comes silence. */
export class Voice {
  readonly #packets: readonly Buffer[];
  readonly #silence: Buffer | null;
  readonly #loop: boolean;
  #position = 0;

  constructor(packets: readonly Buffer[], silence: Buffer | null, loop: boolean) {
    this.#packets = packets;
    this.#silence = silence;
    this.#loop = loop;
  }

  /** Null: say nothing, send nothing. */
  next(): Buffer | null {
    if (this.#loop && this.#position === this.#packets.length) this.#position = 0;
    const packet = this.#packets[this.#position];
    if (packet === undefined) return this.#silence;
    this.#position += 1;
    return packet;
  }
}

/**
 * Prepares what a phone says: 48 kHz-clocked Opus, mono, wideband, about 20 kbit/s, as WhatsApp's phones send.
 * @throws {RingbackError} `MEDIA_FILE_UNUSABLE`; `OPTION_INVALID` for a tone outside 50 to 7000 Hz.
 */
export async function createVoice(voice: PhoneVoice): Promise<Voice> {
  if (voice.type === "mute") return new Voice([], null, false);
  const silence = (await cached("silence", encodeSilence)).at(-1) ?? null;
  switch (voice.type) {
    case "silence":
      return new Voice([], silence, false);
    case "tone": {
      const tone = toneOf(voice.frequencyHz);
      return new Voice(await cached(`tone ${voice.frequencyHz}`, () => encodeVoice(tone)), silence, true);
    }
    case "file": {
      const key = `file ${await voiceFileVersion(voice.path)} ${voice.path}`;
      const packets = await cached(key, async () => encodeVoice(await decodeVoiceFile(voice.path)));
      return new Voice(packets, silence, voice.loop ?? false);
    }
  }
}

const cache = new Map<string, Promise<readonly Buffer[]>>();

function cached(key: string, make: () => Promise<readonly Buffer[]>): Promise<readonly Buffer[]> {
  const known = cache.get(key);
  if (known !== undefined) return known;
  const oldest = cache.keys().next();
  if (cache.size === MAX_CACHED_VOICES && !oldest.done) cache.delete(oldest.value);
  const made = make();
  cache.set(key, made);
  // A failure is not kept: the file may be there next time.
  made.catch(() => cache.delete(key));
  return made;
}

/** The last of these packets may be repeated for ever: the encoder has settled by then. */
function encodeSilence(): Promise<readonly Buffer[]> {
  return encodeVoice({ samples: new Float32Array(16_000), sampleRateHz: 16_000 });
}

function toneOf(frequencyHz: number): VoicePcm {
  if (!(frequencyHz >= 50 && frequencyHz <= 7000)) {
    throw new RingbackError("OPTION_INVALID", `frequencyHz must be 50–7000, got ${frequencyHz}`, {
      details: { option: "voice.frequencyHz" },
    });
  }
  const sampleRateHz = 16_000;
  const samples = new Float32Array((sampleRateHz * TONE_MS) / 1000);
  const step = (2 * Math.PI * frequencyHz) / sampleRateHz;
  for (let i = 0; i < samples.length; i += 1) samples[i] = (TONE_AMPLITUDE / 32_768) * Math.sin(step * i);
  return { samples, sampleRateHz };
}

async function encodeVoice(source: VoicePcm): Promise<readonly Buffer[]> {
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
