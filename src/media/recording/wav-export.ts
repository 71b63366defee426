import { serializeWav } from "../../core/audio/wav.ts";
import { exists, ReplaceFile } from "../../platform/replace-file.ts";
import { OpusDecoder } from "../opus-codec.ts";
import { OPUS_CLOCK_RATE_HZ, SLOT_RTP_TICKS } from "../rtp-clock.ts";
import type { WorkSlices } from "../work-slices.ts";
import { type RecordedPacket, RecordingSource } from "./recording-source.ts";

const SAMPLE_BYTES = 2;
/** Written at once: a second of stereo. */
const WRITE_BYTES = 192_000;
/** The sizes in a WAV file's header have 32 bits. */
const MAX_DATA_BYTES = 2 ** 32 - 64;
/** A gap in a damaged file that is concealed; what is longer is filled with silence. */
const MAX_CONCEALED_TICKS = 5 * SLOT_RTP_TICKS;
/** A position this far ahead of the one before is damage itself. */
const MAX_GAP_TICKS = 60 * OPUS_CLOCK_RATE_HZ;

/** Why a recording is not made a WAV file. `code` as of the system. */
export class WavExportError extends Error {
  readonly code: string;

  constructor(code: "EEXIST" | "EFBIG" | "ENODATA") {
    super(code);
    this.code = code;
  }
}

/**
 * Decodes a recording to a WAV file of 16 bits and 48 kHz. It is written as it is decoded, and comes into its place when it is whole:
 * in that of the recording, when they have one path.
 *
 * @throws The system's error or a `WavExportError`, with its `code`; there is no file then.
 */
export async function exportWav(path: string, wavPath: string, slices: WorkSlices): Promise<void> {
  if (wavPath !== path && (await exists(wavPath))) throw new WavExportError("EEXIST");
  const file = await ReplaceFile.create(wavPath);
  const decoded = new DecodedRecording(new RecordingSource(path, slices));
  try {
    await file.write(wavHeader(1, 0));
    for await (const bytes of decoded.bytes()) await file.write(bytes);
    if (decoded.channelCount === 0) throw new WavExportError("ENODATA");
    await file.writeAtStart(wavHeader(decoded.channelCount, decoded.bytesGiven));
    await file.commit();
  } catch (error) {
    await file.discard();
    throw error;
  } finally {
    decoded.close();
  }
}

/** A recording's PCM, channels interleaved. */
class DecodedRecording {
  readonly #source: RecordingSource;
  readonly #decoders: OpusDecoder[] = [];
  readonly #buffer = new DataView(new ArrayBuffer(WRITE_BYTES));
  #bufferedBytes = 0;
  /** Position behind what was decoded, and how much was given out. */
  #position = 0;
  #ticksGiven = 0;
  bytesGiven = 0;

  constructor(source: RecordingSource) {
    this.#source = source;
  }

  get channelCount(): number {
    return this.#source.channelCount;
  }

  /** @throws The system's error, or a `WavExportError`. */
  async *bytes(): AsyncGenerator<Uint8Array> {
    for await (const packet of this.#source.packets()) {
      while (this.#decoders.length < this.#source.channelCount)
        this.#decoders.push(await OpusDecoder.create());
      yield* this.#fillGap(packet.granulePosition);
      yield* this.#give(this.#decode(packet));
    }
    yield* this.#flush();
  }

  /** Frees native memory. */
  close(): void {
    for (const decoder of this.#decoders) decoder.close();
  }

  #decode({ streams, ticks }: RecordedPacket): Int16Array[] {
    return this.#decoders.map((decoder, index) => {
      const packet = streams?.[index];
      const samples = packet === undefined ? null : decoder.decode(packet);
      return samples?.length === ticks ? samples : decoder.conceal(ticks);
    });
  }

  /** A packet begins later than the one before ended: what was between was lost. */
  *#fillGap(granulePosition: number): Generator<Uint8Array> {
    const gapTicks = granulePosition - this.#position;
    if (gapTicks > MAX_GAP_TICKS) this.#position = granulePosition;
    let concealedTicks = 0;
    while (this.#position < granulePosition) {
      const ticks = Math.min(SLOT_RTP_TICKS, granulePosition - this.#position);
      const canConceal = concealedTicks < MAX_CONCEALED_TICKS && ticks === SLOT_RTP_TICKS;
      concealedTicks += ticks;
      yield* this.#give(
        this.#decoders.map((decoder) => (canConceal ? decoder.conceal(ticks) : new Int16Array(ticks))),
      );
    }
  }

  *#give(channels: readonly Int16Array[]): Generator<Uint8Array> {
    const ticks = channels[0]?.length ?? 0;
    const { preSkipTicks, playedTicks } = this.#source;
    const first = Math.max(0, Math.min(ticks, preSkipTicks - this.#position));
    const end = Math.min(ticks, first + playedTicks - this.#ticksGiven);
    this.#position += ticks;
    for (let i = first; i < end; i += 1) {
      for (const samples of channels) {
        this.#buffer.setInt16(this.#bufferedBytes, samples[i] ?? 0, true);
        this.#bufferedBytes += SAMPLE_BYTES;
      }
      if (this.#bufferedBytes === WRITE_BYTES) yield* this.#flush();
    }
    this.#ticksGiven += Math.max(0, end - first);
  }

  *#flush(): Generator<Uint8Array> {
    this.bytesGiven += this.#bufferedBytes;
    if (this.bytesGiven > MAX_DATA_BYTES) throw new WavExportError("EFBIG");
    yield new Uint8Array(this.#buffer.buffer, 0, this.#bufferedBytes);
    this.#bufferedBytes = 0;
  }
}

function wavHeader(channelCount: number, dataBytes: number): Uint8Array {
  const header = serializeWav({ sampleRateHz: OPUS_CLOCK_RATE_HZ, channelCount, samples: new Int16Array() });
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  view.setUint32(4, header.length - 8 + dataBytes, true);
  view.setUint32(40, dataBytes, true);
  return header;
}
