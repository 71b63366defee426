import { type Clock, systemClock } from "../platform/clock.ts";
import type { EncodedPrompt } from "./encoded-prompt.ts";
import { mediaFileError } from "./media-file-error.ts";
import { PromptEncoder } from "./prompt-encoder.ts";
import { fileSound, type Sound } from "./sound.ts";
import { WorkSlices } from "./work-slices.ts";

export interface PromptCacheOptions {
  /** Memory for encoded prompts. Those least recently played go first. Default 64 MiB, about 3 hours. */
  readonly maxBytes?: number;
  /** Largest file. Default 64 MiB. */
  readonly maxFileBytes?: number;
  /** Longest sound. Default 15 minutes. */
  readonly maxDurationMs?: number;
  /** How long encoding holds up everything else at a time. Default 4 ms. */
  readonly sliceMs?: number;
  readonly clock?: Clock;
}

export interface PromptCacheStats {
  readonly prompts: number;
  readonly bytes: number;
  /** Files decoded and encoded so far. */
  readonly encodes: number;
  readonly evictions: number;
}

export interface PromptOptions {
  /** Factor of the amplitude. Default 1. */
  readonly gain?: number;
}

/** Sounds as encoded prompts, each encoded once. */
export interface PromptCache {
  /**
   * Gives a sound, or the file at a path (MP3, WAV, Ogg Opus or FLAC), as an encoded prompt. A file that has changed since is encoded
   * anew. Of failures only one is remembered, until the file changes: that it is too long.
   *
   * @throws {RingbackError} `MEDIA_FILE_UNUSABLE`.
   */
  load(sound: Sound | string, options?: PromptOptions): Promise<EncodedPrompt>;
  stats(): PromptCacheStats;
}

const MIB = 1024 * 1024;

export function createPromptCache(options: PromptCacheOptions = {}): PromptCache {
  return new FilePromptCache(options);
}

/** Sounds remembered to be too long. */
const MAX_TOO_LONG = 1_000;

interface CachedPrompt {
  readonly version: string;
  readonly prompt: EncodedPrompt;
}

class FilePromptCache implements PromptCache {
  readonly #maxBytes: number;
  readonly #maxFileBytes: number;
  readonly #maxDurationMs: number;
  readonly #slices: WorkSlices;
  /** By key, the least recently used first: a Map keeps the order of insertion. */
  readonly #prompts = new Map<string, CachedPrompt>();
  /** Loads under way, by version and key; each is waited for by a call, so there are no more than calls. */
  readonly #loading = new Map<string, Promise<EncodedPrompt>>();
  /** Sounds that are too long, by version and key, the oldest first: to find that out takes seconds of work. */
  readonly #tooLong = new Set<string>();
  #bytes = 0;
  #encodes = 0;
  #evictions = 0;

  constructor(options: PromptCacheOptions) {
    this.#maxBytes = options.maxBytes ?? 64 * MIB;
    this.#maxFileBytes = options.maxFileBytes ?? 64 * MIB;
    this.#maxDurationMs = options.maxDurationMs ?? 15 * 60_000;
    this.#slices = new WorkSlices(options.clock ?? systemClock, options.sliceMs ?? 4);
  }

  async load(from: Sound | string, { gain = 1 }: PromptOptions = {}): Promise<EncodedPrompt> {
    const sound = typeof from === "string" ? await fileSound(from, this.#maxFileBytes) : from;
    const key = `${gain} ${sound.key}`;
    const cached = this.#prompts.get(key);
    if (cached?.version === sound.version) {
      this.#prompts.delete(key);
      this.#prompts.set(key, cached);
      return cached.prompt;
    }
    if (this.#tooLong.has(versionKey(sound))) throw mediaFileError(sound.name, "too-long");
    const loadKey = `${gain} ${versionKey(sound)}`;
    const loading = this.#loading.get(loadKey);
    if (loading !== undefined) return loading;
    const started = this.#loadNew(sound, gain, key).finally(() => this.#loading.delete(loadKey));
    this.#loading.set(loadKey, started);
    return started;
  }

  stats(): PromptCacheStats {
    return {
      prompts: this.#prompts.size,
      bytes: this.#bytes,
      encodes: this.#encodes,
      evictions: this.#evictions,
    };
  }

  async #loadNew(sound: Sound, gain: number, key: string): Promise<EncodedPrompt> {
    this.#encodes += 1;
    const prompt = await this.#encode(sound, gain);
    if (prompt === "too-long") {
      this.#rememberTooLong(versionKey(sound));
      throw mediaFileError(sound.name, "too-long");
    }
    this.#remove(key);
    this.#prompts.set(key, { version: sound.version, prompt });
    this.#bytes += prompt.bytes;
    for (const oldest of this.#prompts.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#remove(oldest);
      this.#evictions += 1;
    }
    return prompt;
  }

  async #encode(sound: Sound, gain: number): Promise<EncodedPrompt | "too-long"> {
    const encoder = await PromptEncoder.create(this.#slices, gain);
    try {
      for await (const samples of sound.samples(this.#slices)) {
        await encoder.write(samples);
        if (encoder.durationMs > this.#maxDurationMs) return "too-long";
      }
      return await encoder.finish();
    } finally {
      encoder.close();
    }
  }

  #rememberTooLong(key: string): void {
    this.#tooLong.add(key);
    for (const oldest of this.#tooLong) {
      if (this.#tooLong.size <= MAX_TOO_LONG) break;
      this.#tooLong.delete(oldest);
    }
  }

  #remove(key: string): void {
    const cached = this.#prompts.get(key);
    if (cached === undefined) return;
    this.#prompts.delete(key);
    this.#bytes -= cached.prompt.bytes;
  }
}

function versionKey({ key, version }: Sound): string {
  return `${version} ${key}`;
}
