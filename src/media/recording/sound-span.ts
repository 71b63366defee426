import { SLOT_TICKS } from "../../core/recording/slot-frames.ts";
import { OpusDecoder } from "../opus-codec.ts";
import type { WorkSlices } from "../work-slices.ts";
import { RecordingSource } from "./recording-source.ts";

/** Slots of 20 ms, the end not included. */
export interface SlotSpan {
  readonly begin: number;
  readonly end: number;
}

/** -50 dBFS as a mean: what is quieter is noise of the line. */
const SOUND_RMS = 32_768 * 10 ** (-50 / 20);
/** A single slot of sound is a click. */
const MIN_SOUND_SLOTS = 2;
/** Enough to tell sound from none, and cheap to decode to. */
const RATE_HZ = 8000;

/** Finds where the sound begins and ends. */
class SoundSpan {
  begin = Number.POSITIVE_INFINITY;
  end = 0;
  #soundSlots = 0;

  add(slot: number, slots: number, samples: Int16Array): void {
    if (rms(samples) < SOUND_RMS) {
      this.#soundSlots = 0;
      return;
    }
    this.#soundSlots += slots;
    if (this.#soundSlots < MIN_SOUND_SLOTS) return;
    this.begin = Math.min(this.begin, slot + slots - this.#soundSlots);
    this.end = Math.max(this.end, slot + slots);
  }
}

/**
 * Where the sound of several files that were recorded together begins and ends; null when there is none.
 *
 * @throws The system's error, with its `code`.
 */
export async function findSound(paths: readonly string[], slices: WorkSlices): Promise<SlotSpan | null> {
  let begin = Number.POSITIVE_INFINITY;
  let end = 0;
  for (const path of paths) {
    for (const span of await findSoundOf(path, slices)) {
      begin = Math.min(begin, span.begin);
      end = Math.max(end, span.end);
    }
  }
  return end === 0 ? null : { begin, end };
}

/** One for each channel. */
async function findSoundOf(path: string, slices: WorkSlices): Promise<readonly SoundSpan[]> {
  const channels: { readonly decoder: OpusDecoder; readonly span: SoundSpan }[] = [];
  try {
    for await (const { streams, granulePosition, ticks } of new RecordingSource(path, slices).packets()) {
      if (streams === null) continue;
      const slot = Math.floor(granulePosition / SLOT_TICKS);
      for (const [index, packet] of streams.entries()) {
        channels[index] ??= { decoder: await OpusDecoder.create({ rateHz: RATE_HZ }), span: new SoundSpan() };
        const samples = channels[index].decoder.decode(packet);
        if (samples !== null) channels[index].span.add(slot, ticks / SLOT_TICKS, samples);
      }
    }
    return channels.map(({ span }) => span);
  } finally {
    for (const { decoder } of channels) decoder.close();
  }
}

function rms(samples: Int16Array): number {
  let energy = 0;
  for (const sample of samples) energy += sample * sample;
  return Math.sqrt(energy / Math.max(1, samples.length));
}
