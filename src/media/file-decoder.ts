import { type AudioFormat, detectAudioFormat, FORMAT_PROBE_BYTES } from "../core/audio/audio-format.ts";
import { Resampler } from "../core/audio/resampler.ts";
import { parseWav } from "../core/audio/wav.ts";
import { RingbackError } from "../errors.ts";
import { readFileChunks } from "../platform/file-source.ts";
import { AudioDecoder, type DecodedAudio } from "./audio-decoder.ts";
import { mediaFileError } from "./media-file-error.ts";
import { OPUS_CLOCK_RATE_HZ } from "./rtp-clock.ts";
import type { WorkSlices } from "./work-slices.ts";

const READ_BYTES = 65_536;

/** Bytes given to a decoder at once, at most: about a second of sound at the lowest usual bit rates, 1 to 3 ms of work. */
const FEED_BYTES: Readonly<Record<AudioFormat, number>> = {
  wav: 16_384,
  mp3: 4_096,
  flac: 4_096,
  "ogg-opus": 2_048,
};
const MIN_FEED_BYTES = 64;

/** Samples wanted of one feed. Silence is packed so densely in FLAC and Opus that a KB makes minutes of it. */
const FEED_SAMPLES = 48_000;

/** Samples resampled at once: at most 2 ms of work at any rate. */
const RESAMPLE_SAMPLES = 2_048;

/** A file that gives no sound in this many bytes has none: pictures in an MP3's tags are the largest honest prelude. */
const MAX_SILENT_BYTES = 16 * 1024 * 1024;

/**
 * Decodes an MP3, WAV, Ogg Opus or FLAC file to mono at 48 kHz, piece by piece: neither the file nor its sound is ever
 * held whole, and the event loop turns every few ms.
 *
 * @returns Pieces that are valid until the next one is asked for.
 * @throws {RingbackError} `MEDIA_FILE_UNUSABLE`.
 */
export function decodeFile(path: string, slices: WorkSlices): AsyncGenerator<Float32Array> {
  return decodeAudio(path, readChunks(path), slices);
}

/**
 * Decodes what such a file holds, from wherever it comes.
 *
 * @param name For errors.
 * @throws {RingbackError} `MEDIA_FILE_UNUSABLE`; whatever `chunks` throws.
 */
export async function* decodeAudio(
  name: string,
  chunks: AsyncIterable<Uint8Array>,
  slices: WorkSlices,
): AsyncGenerator<Float32Array> {
  const source = new DecodedSource(name);
  try {
    for await (const bytes of chunks) {
      await source.start(bytes);
      for (let offset = 0; offset < bytes.length; ) {
        if (slices.isSpent) await slices.next();
        const piece = bytes.subarray(offset, offset + source.feedBytes);
        offset += piece.length;
        yield* source.decode(piece);
      }
    }
    yield* source.end();
  } finally {
    source.close();
  }
}

/** One file on its way from bytes to samples. */
class DecodedSource {
  readonly #path: string;
  #decoder: AudioDecoder | null = null;
  #maxFeedBytes = READ_BYTES;
  #feedBytes = READ_BYTES;
  #head: Uint8Array | null = null;
  #resampler: Resampler | null = null;
  #rateHz = 0;
  #bytesFed = 0;
  #hasSound = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** Bytes that the next piece is to have. */
  get feedBytes(): number {
    return this.#feedBytes;
  }

  /** Opens the decoder at the file's first bytes. */
  async start(bytes: Uint8Array): Promise<void> {
    if (this.#decoder !== null) return;
    this.#head = bytes;
    const format = detectAudioFormat(bytes.subarray(0, FORMAT_PROBE_BYTES));
    if (format === null) throw mediaFileError(this.#path, "not-audio");
    this.#maxFeedBytes = FEED_BYTES[format];
    this.#feedBytes = this.#maxFeedBytes;
    this.#decoder = await AudioDecoder.open(format);
  }

  async *decode(bytes: Uint8Array): AsyncGenerator<Float32Array> {
    this.#bytesFed += bytes.length;
    if (!this.#hasSound && this.#bytesFed > MAX_SILENT_BYTES) throw mediaFileError(this.#path, "not-audio");
    const audio = await this.#run((decoder) => decoder.decode(bytes));
    if (audio.samples.length > 0) {
      const fitting = Math.round((bytes.length * FEED_SAMPLES) / audio.samples.length);
      this.#feedBytes = Math.min(Math.max(fitting, MIN_FEED_BYTES), this.#maxFeedBytes);
    }
    yield* this.#convert(audio);
  }

  /** What the decoder and the filter still hold. */
  async *end(): AsyncGenerator<Float32Array> {
    if (this.#decoder === null) throw mediaFileError(this.#path, "empty");
    yield* this.#convert(await this.#run((decoder) => decoder.end()));
    if (!this.#hasSound) throw mediaFileError(this.#path, this.#isEmptyWav() ? "empty" : "not-audio");
    if (this.#resampler !== null) yield this.#resampler.flush();
  }

  close(): void {
    this.#decoder?.close();
  }

  async #run(work: (decoder: AudioDecoder) => Promise<DecodedAudio>): Promise<DecodedAudio> {
    if (this.#decoder === null) throw new Error("The decoder is fed before it is open.");
    try {
      return await work(this.#decoder);
    } catch (error) {
      throw mediaFileError(this.#path, "not-audio", error);
    }
  }

  *#convert({ samples, sampleRateHz }: DecodedAudio): Generator<Float32Array> {
    if (samples.length === 0) return;
    const resampler = this.#resamplerFor(sampleRateHz);
    this.#hasSound = true;
    for (let offset = 0; offset < samples.length; offset += RESAMPLE_SAMPLES) {
      const piece = samples.subarray(offset, offset + RESAMPLE_SAMPLES);
      yield resampler === null ? piece : resampler.process(piece);
    }
  }

  #resamplerFor(rateHz: number): Resampler | null {
    if (rateHz === OPUS_CLOCK_RATE_HZ && this.#resampler === null) return null;
    if (this.#resampler !== null && rateHz === this.#rateHz) return this.#resampler;
    // A file whose rate changes midway is rare and broken: each part keeps its pitch, the seam may click.
    this.#rateHz = rateHz;
    try {
      this.#resampler = new Resampler(rateHz, OPUS_CLOCK_RATE_HZ);
    } catch (error) {
      throw mediaFileError(this.#path, "not-audio", error);
    }
    return this.#resampler;
  }

  #isEmptyWav(): boolean {
    const wav = this.#head === null ? "not-wav" : parseWav(this.#head);
    return typeof wav === "object" && wav.samples.length === 0;
  }
}

async function* readChunks(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* readFileChunks(path, READ_BYTES);
  } catch (error) {
    // What the consumer throws into the loop comes by here too.
    if (error instanceof RingbackError) throw error;
    throw mediaFileError(path, "unreadable", error);
  }
}
