import { fileURLToPath } from "node:url";
import { isRingbackError } from "../../errors.ts";
import {
  bytesSound,
  type EncodedPrompt,
  fileSound,
  type OpusRateHz,
  type PromptCache,
  type Sound,
  silenceSound,
  type TextToSpeech,
  toneSound,
  type WorkSlices,
} from "../../media/index.ts";
import { optionError, requireRange, requireRate, requireTone } from "./option-checks.ts";
import type { PlaySource } from "./types.ts";
import type { UrlSounds } from "./url-sounds.ts";

/** A sound that is encoded and shared, or one that is encoded as it plays. */
export type Playable = { readonly prompt: EncodedPrompt } | { readonly stream: PlayableStream };

export interface PlayableStream {
  readonly rateHz: OpusRateHz;
  /** It can be iterated again, from the beginning. */
  readonly isRepeatable: boolean;
  /** Each piece may be written again once the next one is asked for. */
  readonly samples: AsyncIterable<Int16Array>;
}

export interface SoundSourcesOptions {
  readonly prompts: PromptCache;
  readonly urls: UrlSounds;
  /** Null: there is nobody to speak. */
  readonly speech: TextToSpeech | null;
  /** For what is encoded as it plays. */
  readonly slices: WorkSlices;
}

/** Largest file: what is longer than a prompt is streamed from it, never held whole. */
const MAX_FILE_BYTES = 2 ** 40;
const MAX_SILENCE_MS = 3_600_000;
const SAMPLE_RATE_HZ = 48_000;

/** Makes what a program wants to play into something that a call can play. */
export class SoundSources {
  readonly #options: SoundSourcesOptions;

  constructor(options: SoundSourcesOptions) {
    this.#options = options;
  }

  /**
   * @throws {RingbackError} `MEDIA_FILE_UNUSABLE`; `OPTION_INVALID`; `SPEECH_FAILED`; `REQUEST_REFUSED`, `REQUEST_FAILED`; the signal's
   * reason when it aborts.
   */
  async resolve(source: PlaySource, gain: number, signal?: AbortSignal): Promise<Playable> {
    if (isPcm(source)) {
      requireRate(source.rateHz);
      const samples = gain === 1 ? source.pcm : new AmplifiedSamples(source.pcm, gain);
      return { stream: { rateHz: source.rateHz, isRepeatable: false, samples } };
    }
    const sound = await this.#sound(source, signal);
    try {
      return { prompt: await this.#options.prompts.load(sound, { gain }) };
    } catch (error) {
      if (!isTooMuch(error)) throw error;
      const long = typeof sound === "string" ? await fileSound(sound, MAX_FILE_BYTES) : sound;
      const samples = {
        [Symbol.asyncIterator]: () => toInt16(long.samples(this.#options.slices), gain),
      };
      return { stream: { rateHz: SAMPLE_RATE_HZ, isRepeatable: true, samples } };
    }
  }

  /** The path of a file, or something else that sounds. */
  async #sound(source: PlaySource, signal?: AbortSignal): Promise<Sound | string> {
    if (typeof source === "string" || source instanceof URL) return this.#fileOrUrl(String(source), signal);
    if (source instanceof Uint8Array) return bytesSound(new Uint8Array(source), "the audio given as bytes");
    if ("tone" in source) {
      requireTone(source.tone);
      return toneSound(source.tone);
    }
    if ("silenceMs" in source) {
      requireRange("silenceMs", source.silenceMs, 1, MAX_SILENCE_MS);
      return silenceSound(source.silenceMs);
    }
    if ("say" in source) return this.#say(source, signal);
    throw optionError(
      "source",
      "must be a path, a URL, bytes, or an object with tone, silenceMs, say or pcm",
    );
  }

  async #fileOrUrl(text: string, signal?: AbortSignal): Promise<Sound | string> {
    if (/^https?:/i.test(text)) return this.#options.urls.load(text, signal);
    return /^file:/i.test(text) ? fileURLToPath(text) : text;
  }

  async #say(source: Extract<PlaySource, { readonly say: string }>, signal?: AbortSignal): Promise<Sound> {
    const { speech } = this.#options;
    if (speech === null) {
      throw optionError("speech", "must name a text-to-speech adapter before anything can be said");
    }
    const { say: text, ...voice } = source;
    const bytes = await speech.synthesize({ text, ...voice, ...(signal !== undefined && { signal }) });
    return bytesSound(bytes, "the spoken text");
  }
}

/** More than is encoded in advance: it is encoded as it plays. */
function isTooMuch(error: unknown): boolean {
  if (!isRingbackError(error, "MEDIA_FILE_UNUSABLE")) return false;
  return error.details.reason === "too-long" || error.details.reason === "too-large";
}

function isPcm(source: PlaySource): source is Extract<PlaySource, { readonly pcm: unknown }> {
  return typeof source === "object" && "pcm" in source;
}

/** No generator: one that waits for samples could not be left before they come. */
class AmplifiedSamples implements AsyncIterable<Int16Array> {
  readonly #pcm: AsyncIterable<Int16Array>;
  readonly #gain: number;

  constructor(pcm: AsyncIterable<Int16Array>, gain: number) {
    this.#pcm = pcm;
    this.#gain = gain;
  }

  [Symbol.asyncIterator](): AsyncIterator<Int16Array> {
    const iterator = this.#pcm[Symbol.asyncIterator]();
    return {
      next: async () => {
        const next = await iterator.next();
        if (next.done === true) return next;
        return { done: false, value: next.value.map((sample) => bounded(sample * this.#gain)) };
      },
      return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
    };
  }
}

async function* toInt16(pieces: AsyncIterable<Float32Array>, gain: number): AsyncGenerator<Int16Array> {
  for await (const piece of pieces) {
    yield Int16Array.from(piece, (sample) => bounded(sample * gain * 32_767));
  }
}

function bounded(sample: number): number {
  return Math.max(-32_768, Math.min(32_767, Math.round(sample)));
}
