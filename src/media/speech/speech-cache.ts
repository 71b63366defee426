import { untilAborted } from "../../platform/until-aborted.ts";
import { optionError } from "./speech-error.ts";
import { readSpokenText, type SpokenText } from "./spoken-text.ts";
import type { SpeechRequest, TextToSpeech } from "./text-to-speech.ts";

export interface SpeechCacheOptions {
  /** Memory for sounds and their texts. Those least recently spoken go first. Default 32 MiB, 12 minutes of 22 kHz WAV. */
  readonly maxBytes?: number;
}

export interface SpeechCacheStats {
  readonly sounds: number;
  readonly bytes: number;
  /** Texts that were given to the adapter so far. */
  readonly syntheses: number;
  /** Requests that took no synthesis of their own so far. */
  readonly hits: number;
  readonly evictions: number;
}

/** An adapter that speaks the same text once. */
export interface CachedSpeech extends TextToSpeech {
  stats(): SpeechCacheStats;
}

/** Remembers what `speech` has spoken; equal requests at the same time share one synthesis. Failures are not remembered. */
export function createCachedSpeech(speech: TextToSpeech, options: SpeechCacheOptions = {}): CachedSpeech {
  return new SpeechCache(speech, options.maxBytes ?? 32 * 1024 * 1024);
}

/** A synthesis under way. */
interface Synthesis {
  readonly sound: Promise<Uint8Array>;
  /** Ends it once nobody waits any more. */
  readonly ending: AbortController;
  waiting: number;
}

class SpeechCache implements CachedSpeech {
  readonly name: string;
  readonly #speech: TextToSpeech;
  readonly #maxBytes: number;
  /** The least recently used first: a Map keeps the order of insertion. */
  readonly #sounds = new Map<string, Uint8Array>();
  /** Each is waited for by a call, so there are no more than calls. */
  readonly #syntheses = new Map<string, Synthesis>();
  #bytes = 0;
  #started = 0;
  #hits = 0;
  #evictions = 0;

  constructor(speech: TextToSpeech, maxBytes: number) {
    if (!(maxBytes >= 0)) throw optionError("maxBytes", `maxBytes must be 0 or more, got ${maxBytes}`);
    this.name = speech.name;
    this.#speech = speech;
    this.#maxBytes = maxBytes;
  }

  async synthesize(request: SpeechRequest): Promise<Uint8Array> {
    const { signal } = request;
    signal?.throwIfAborted();
    const spoken = readSpokenText(this.name, request);
    const key = JSON.stringify([spoken.voice, spoken.language, spoken.text]);
    const kept = this.#sounds.get(key);
    if (kept !== undefined) {
      this.#hits += 1;
      this.#sounds.delete(key);
      this.#sounds.set(key, kept);
      return kept;
    }
    const running = this.#syntheses.get(key);
    if (running !== undefined) this.#hits += 1;
    return await this.#wait(key, running ?? this.#start(key, spoken), signal);
  }

  stats(): SpeechCacheStats {
    return {
      sounds: this.#sounds.size,
      bytes: this.#bytes,
      syntheses: this.#started,
      hits: this.#hits,
      evictions: this.#evictions,
    };
  }

  #start(key: string, { text, voice, language }: SpokenText): Synthesis {
    this.#started += 1;
    const ending = new AbortController();
    const request = {
      text,
      ...(voice === null ? {} : { voice }),
      ...(language === null ? {} : { language }),
      signal: ending.signal,
    };
    const sound = (async () => await this.#speech.synthesize(request))();
    const synthesis = { sound, ending, waiting: 0 };
    this.#syntheses.set(key, synthesis);
    sound.then(
      (bytes) => {
        // What was given up may come late, beside a newer one.
        if (this.#forget(key, synthesis)) this.#keep(key, bytes);
      },
      () => this.#forget(key, synthesis),
    );
    return synthesis;
  }

  async #wait(key: string, synthesis: Synthesis, signal: AbortSignal | undefined): Promise<Uint8Array> {
    synthesis.waiting += 1;
    try {
      return await (signal === undefined ? synthesis.sound : untilAborted(synthesis.sound, signal));
    } finally {
      synthesis.waiting -= 1;
      if (synthesis.waiting === 0) {
        this.#forget(key, synthesis);
        synthesis.ending.abort();
      }
    }
  }

  /** False when it was forgotten before. */
  #forget(key: string, synthesis: Synthesis): boolean {
    return this.#syntheses.get(key) === synthesis && this.#syntheses.delete(key);
  }

  #keep(key: string, sound: Uint8Array): void {
    if (sizeOf(key, sound) > this.#maxBytes) return;
    this.#sounds.set(key, sound);
    this.#bytes += sizeOf(key, sound);
    for (const [oldest, bytes] of this.#sounds) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#sounds.delete(oldest);
      this.#bytes -= sizeOf(oldest, bytes);
      this.#evictions += 1;
    }
  }
}

/** Strings take up to two bytes a character. */
function sizeOf(key: string, sound: Uint8Array): number {
  return sound.length + key.length * 2;
}
