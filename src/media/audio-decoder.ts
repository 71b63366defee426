import decode, { type StreamDecoder } from "audio-decode";
import type { AudioFormat } from "../core/audio/audio-format.ts";
import { MpegFrames } from "../core/audio/mpeg-frames.ts";

/** Decoded sound, all channels mixed into one. */
export interface DecodedAudio {
  /** -1 to 1. Empty when the bytes completed nothing. */
  readonly samples: Float32Array;
  /** 0 when there are no samples. */
  readonly sampleRateHz: number;
}

/** Decodes one file, given in pieces. */
export class AudioDecoder {
  readonly #decode: StreamDecoder;
  readonly #mpegFrames: MpegFrames | null;

  private constructor(decoder: StreamDecoder, mpegFrames: MpegFrames | null) {
    this.#decode = decoder;
    this.#mpegFrames = mpegFrames;
  }

  static async open(format: AudioFormat): Promise<AudioDecoder> {
    switch (format) {
      case "wav":
        return new AudioDecoder(await decode.wav(), null);
      case "mp3":
        return new AudioDecoder(await decode.mp3(), new MpegFrames());
      case "flac":
        return new AudioDecoder(await decode.flac(), null);
      case "ogg-opus":
        return new AudioDecoder(await decode.opus(), null);
    }
  }

  /** @throws {Error} The decoder's own, when the bytes are damaged beyond repair. */
  async decode(bytes: Uint8Array): Promise<DecodedAudio> {
    const accepted = this.#mpegFrames === null ? bytes : this.#mpegFrames.push(bytes);
    return toMono(await this.#decode(accepted));
  }

  /** The end of the file: what the decoder still holds. Nothing may follow. */
  async end(): Promise<DecodedAudio> {
    // The MP3 decoder holds nothing back; the search for frames does.
    if (this.#mpegFrames !== null) return toMono(await this.#decode(this.#mpegFrames.end()));
    return toMono(await this.#decode());
  }

  /** Frees its memory. Idempotent. */
  close(): void {
    this.#decode.free();
  }
}

/** The mean of all channels, in the memory of the first: the decoder has given it away. */
function toMono({ channelData, sampleRate }: Awaited<ReturnType<StreamDecoder>>): DecodedAudio {
  const [samples, ...others] = channelData;
  if (samples === undefined) return { samples: new Float32Array(), sampleRateHz: 0 };
  for (const channel of others) {
    for (let i = 0; i < samples.length; i += 1) samples[i] = (samples[i] ?? 0) + (channel[i] ?? 0);
  }
  for (let i = 0; i < samples.length; i += 1) samples[i] = bounded((samples[i] ?? 0) / channelData.length);
  return { samples, sampleRateHz: sampleRate };
}

/** Files of floating-point samples hold any number, and damaged ones are decoded to any: the caller's ear takes -1 to 1. */
function bounded(sample: number): number {
  if (sample > 1) return 1;
  if (sample < -1) return -1;
  return Number.isNaN(sample) ? 0 : sample;
}
