import { type Clock, systemClock } from "../platform/clock.ts";
import { type FileFacts, readFileFacts } from "../platform/file-source.ts";
import type { EncodedPrompt } from "./encoded-prompt.ts";
import { decodeFile } from "./file-decoder.ts";
import { mediaFileError } from "./media-file-error.ts";
import { PromptEncoder } from "./prompt-encoder.ts";
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

/** Files as encoded prompts, each encoded once. */
export interface PromptCache {
  /**
   * Gives the file at `path`, MP3, WAV, Ogg Opus or FLAC, as an encoded prompt. A file that has changed since is encoded
   * anew. Of failures only one is remembered, until the file changes: that it is too long.
   *
   * @throws {RingbackError} `MEDIA_FILE_UNUSABLE`.
   */
  load(path: string): Promise<EncodedPrompt>;
  stats(): PromptCacheStats;
}

const MIB = 1024 * 1024;

export function createPromptCache(options: PromptCacheOptions = {}): PromptCache {
  return new FilePromptCache(options);
}

/** Files remembered to be too long. */
const MAX_TOO_LONG = 1_000;

interface FileVersion {
  readonly realPath: string;
  readonly version: string;
  /** Of both. */
  readonly key: string;
}

interface CachedPrompt {
  readonly version: string;
  readonly prompt: EncodedPrompt;
}

class FilePromptCache implements PromptCache {
  readonly #maxBytes: number;
  readonly #maxFileBytes: number;
  readonly #maxDurationMs: number;
  readonly #slices: WorkSlices;
  /** By real path, the least recently used first: a Map keeps the order of insertion. */
  readonly #prompts = new Map<string, CachedPrompt>();
  /** Loads under way, by version and real path; each is waited for by a call, so there are no more than calls. */
  readonly #loading = new Map<string, Promise<EncodedPrompt>>();
  /** Files that are too long, by version and real path, the oldest first: to find that out takes seconds of work. */
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

  async load(path: string): Promise<EncodedPrompt> {
    const { realPath, version } = await this.#checkFile(path);
    const cached = this.#prompts.get(realPath);
    if (cached?.version === version) {
      this.#prompts.delete(realPath);
      this.#prompts.set(realPath, cached);
      return cached.prompt;
    }
    const key = `${version} ${realPath}`;
    if (this.#tooLong.has(key)) throw mediaFileError(path, "too-long");
    const loading = this.#loading.get(key);
    if (loading !== undefined) return loading;
    const started = this.#loadNew(path, { realPath, version, key }).finally(() => this.#loading.delete(key));
    this.#loading.set(key, started);
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

  async #loadNew(path: string, { realPath, version, key }: FileVersion): Promise<EncodedPrompt> {
    this.#encodes += 1;
    const prompt = await this.#encode(path);
    if (prompt === "too-long") {
      this.#rememberTooLong(key);
      throw mediaFileError(path, "too-long");
    }
    this.#remove(realPath);
    this.#prompts.set(realPath, { version, prompt });
    this.#bytes += prompt.bytes;
    for (const oldest of this.#prompts.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#remove(oldest);
      this.#evictions += 1;
    }
    return prompt;
  }

  async #encode(path: string): Promise<EncodedPrompt | "too-long"> {
    const encoder = await PromptEncoder.create(this.#slices);
    try {
      for await (const samples of decodeFile(path, this.#slices)) {
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

  #remove(realPath: string): void {
    const cached = this.#prompts.get(realPath);
    if (cached === undefined) return;
    this.#prompts.delete(realPath);
    this.#bytes -= cached.prompt.bytes;
  }

  async #checkFile(path: string): Promise<FileFacts> {
    let facts: FileFacts;
    try {
      facts = await readFileFacts(path);
    } catch (error) {
      throw mediaFileError(path, isMissing(error) ? "missing" : "unreadable", error);
    }
    if (!facts.isFile) throw mediaFileError(path, "unreadable");
    if (facts.sizeBytes === 0) throw mediaFileError(path, "empty");
    if (facts.sizeBytes > this.#maxFileBytes) throw mediaFileError(path, "too-large");
    return facts;
  }
}

function isMissing(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return code === "ENOENT" || code === "ENOTDIR";
}
