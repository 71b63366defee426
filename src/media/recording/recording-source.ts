import { OggOpusReader } from "../../core/audio/ogg/ogg-opus-reader.ts";
import { splitOpusStreams } from "../../core/audio/opus-streams.ts";
import { readFileChunks } from "../../platform/file-source.ts";
import type { WorkSlices } from "../work-slices.ts";

const READ_BYTES = 16_384;

/** A packet of a recording. */
export interface RecordedPacket {
  /** As it stands in the file. */
  readonly bytes: Uint8Array;
  /** One packet for each channel; null when one of them is damaged. */
  readonly streams: readonly Uint8Array[] | null;
  /** Position of its first sample, at 48 kHz. */
  readonly granulePosition: number;
  readonly ticks: number;
}

/** Reads a recording from disk, never all of it at once. */
export class RecordingSource {
  readonly #path: string;
  readonly #slices: WorkSlices;
  readonly #reader = new OggOpusReader();

  constructor(path: string, slices: WorkSlices) {
    this.#path = path;
    this.#slices = slices;
  }

  /** 0 until the first packet. */
  get channelCount(): number {
    return this.#reader.head?.channelCount ?? 0;
  }

  get preSkipTicks(): number {
    return this.#reader.head?.preSkipTicks ?? 0;
  }

  /** What is played of the packets that were given so far, at 48 kHz. */
  get playedTicks(): number {
    return this.#reader.playedTicks;
  }

  /**
   * The packets, in order; between them the event loop turns every few ms. A torn end is left out.
   *
   * @throws The system's error, with its `code`.
   */
  async *packets(): AsyncGenerator<RecordedPacket> {
    for await (const chunk of readFileChunks(this.#path, READ_BYTES))
      yield* this.#give(this.#reader.push(chunk));
    yield* this.#give(this.#reader.end());
  }

  async *#give(packets: ReturnType<OggOpusReader["push"]>): AsyncGenerator<RecordedPacket> {
    const streamCount = this.#reader.head?.streamCount ?? 1;
    for (const { bytes, granulePosition, ticks } of packets) {
      if (this.#slices.isSpent) await this.#slices.next();
      yield { bytes, streams: splitOpusStreams(bytes, streamCount), granulePosition, ticks };
    }
  }
}
