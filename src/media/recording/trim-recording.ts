import { OggOpusWriter } from "../../core/audio/ogg/ogg-opus-writer.ts";
import { SLOT_TICKS } from "../../core/recording/slot-frames.ts";
import { randomUint32, systemRandom } from "../../platform/random.ts";
import { ReplaceFile } from "../../platform/replace-file.ts";
import type { WorkSlices } from "../work-slices.ts";
import { type RecordedPacket, RecordingSource } from "./recording-source.ts";
import { findSound, type SlotSpan } from "./sound-span.ts";

/** Silence that stays before and after the sound: 200 ms. */
const KEPT_SLOTS = 10;
/** RFC 7845 §4.2: a decoder that begins midway is right after 80 ms; they are decoded and not played. */
const CONVERGENCE_TICKS = 3_840;

/**
 * Cuts the silence off the beginning and the end of files that were recorded together, all at the same places; nothing is encoded
 * anew. Each file is replaced when its new one is whole. Files without any sound stay as they are.
 *
 * @returns Whether there is sound.
 * @throws The system's error, with its `code`; the file that it happened to is as it was.
 */
export async function trimRecording(paths: readonly string[], slices: WorkSlices): Promise<boolean> {
  const sound = await findSound(paths, slices);
  if (sound === null) return false;
  const span = { begin: Math.max(0, sound.begin - KEPT_SLOTS), end: sound.end + KEPT_SLOTS };
  for (const path of paths) await cutFile(path, span, slices);
  return true;
}

async function cutFile(path: string, span: SlotSpan, slices: WorkSlices): Promise<void> {
  const file = await ReplaceFile.create(path);
  try {
    const cut = new Cut(new RecordingSource(path, slices), span);
    for await (const page of cut.pages()) await file.write(page);
    if (cut.isWholeFile) await file.discard();
    else await file.commit();
  } catch (error) {
    await file.discard();
    throw error;
  }
}

/** A part of a recording as a file of its own. */
class Cut {
  readonly #source: RecordingSource;
  /** Positions in the old file at which the new one begins and ends to be played. */
  readonly #beginTicks: number;
  readonly #endTicks: number;
  #writer: OggOpusWriter | null = null;
  #firstPosition = 0;
  /** It may be the last one. */
  #held: RecordedPacket | null = null;
  #hasMore = false;

  constructor(source: RecordingSource, span: SlotSpan) {
    this.#source = source;
    this.#beginTicks = span.begin * SLOT_TICKS;
    this.#endTicks = span.end * SLOT_TICKS;
  }

  /** Nothing was cut off. Known at the end. */
  get isWholeFile(): boolean {
    return this.#firstPosition === 0 && this.#beginTicks === 0 && !this.#hasMore;
  }

  async *pages(): AsyncGenerator<Uint8Array> {
    for await (const packet of this.#source.packets()) {
      if (packet.granulePosition + packet.ticks <= this.#beginTicks - CONVERGENCE_TICKS) continue;
      // The encoder's delay: the last sound comes out with the packet behind it.
      if (packet.granulePosition >= this.#endTicks + this.#source.preSkipTicks) {
        this.#hasMore = true;
        break;
      }
      if (this.#writer === null) yield this.#begin(packet);
      else yield* this.#writeHeld();
      this.#held = packet;
    }
    yield* this.#finish();
  }

  #begin(first: RecordedPacket): Uint8Array {
    this.#firstPosition = first.granulePosition;
    this.#writer = new OggOpusWriter({
      serial: randomUint32(systemRandom),
      channelCount: this.#source.channelCount === 2 ? 2 : 1,
      preSkipTicks: this.#skippedTicks,
    });
    return this.#writer.begin();
  }

  get #skippedTicks(): number {
    return this.#source.preSkipTicks + this.#beginTicks - this.#firstPosition;
  }

  *#writeHeld(): Generator<Uint8Array> {
    const packet = this.#held;
    const page =
      packet === null ? null : this.#writer?.write(packet.bytes, packet.bytes.length, packet.ticks);
    if (page) yield page;
  }

  *#finish(): Generator<Uint8Array> {
    const packet = this.#held;
    if (packet === null || this.#writer === null) return;
    const lastTicks = Math.min(this.#endTicks, this.#source.playedTicks);
    yield* this.#writer.finish(packet.bytes, packet.bytes.length, lastTicks - this.#beginTicks);
  }
}
