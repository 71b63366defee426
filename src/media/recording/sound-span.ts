import { SLOT_TICKS } from "../../core/recording/slot-frames.ts";
import { OpusDecoder } from "../opus-codec.ts";
import { OPUS_SILENCE } from "../silence.ts";
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
/** Enough to tell sound from none. */
const RATE_HZ = 8000;
/** RFC 7845 §4.2: a decoder that begins midway is right after 80 ms. */
const CONVERGENCE_SLOTS = 4;
/** The end is looked for in the last 30 s first, and in four times as much each time that all of it is silent. */
const FIRST_TAIL_SLOTS = 1_500;
const TAIL_GROWTH = 4;

/**
 * Where the sound of files that were recorded together begins and ends; null when there is none. What lies between is not decoded.
 *
 * @throws The system's error, with its `code`.
 */
export async function findSound(paths: readonly string[], slices: WorkSlices): Promise<SlotSpan | null> {
  let begin = Number.POSITIVE_INFINITY;
  let end = 0;
  for (const path of paths) {
    const first = await scan(path, slices, 0, "first");
    if (first === null) continue;
    begin = Math.min(begin, first.begin);
    end = Math.max(end, (await findLast(path, slices)) ?? first.end);
  }
  return end === 0 ? null : { begin, end };
}

async function findLast(path: string, slices: WorkSlices): Promise<number | null> {
  const slotCount = await countSlots(path, slices);
  for (let tail = FIRST_TAIL_SLOTS; ; tail *= TAIL_GROWTH) {
    const begin = Math.max(0, slotCount - tail);
    const last = await scan(path, slices, begin, "last");
    if (last !== null || begin === 0) return last?.end ?? null;
  }
}

async function countSlots(path: string, slices: WorkSlices): Promise<number> {
  let end = 0;
  for await (const { granulePosition, ticks } of new RecordingSource(path, slices).packets()) {
    end = granulePosition + ticks;
  }
  return Math.ceil(end / SLOT_TICKS);
}

/** The sound behind a slot: all of it, or the beginning of its first part. */
async function scan(
  path: string,
  slices: WorkSlices,
  fromSlot: number,
  wanted: "first" | "last",
): Promise<SlotSpan | null> {
  const channels: Channel[] = [];
  try {
    for await (const { streams, granulePosition, ticks } of new RecordingSource(path, slices).packets()) {
      const slot = Math.floor(granulePosition / SLOT_TICKS);
      if (streams === null || slot < fromSlot - CONVERGENCE_SLOTS) continue;
      for (const [index, packet] of streams.entries()) {
        channels[index] ??= new Channel(await OpusDecoder.create({ rateHz: RATE_HZ }));
        channels[index].take(packet, slot, ticks / SLOT_TICKS, slot >= fromSlot);
      }
      if (wanted === "first" && channels.some(({ end }) => end > 0)) break;
    }
    const begin = Math.min(...channels.map((channel) => channel.begin));
    const end = Math.max(0, ...channels.map((channel) => channel.end));
    return end === 0 ? null : { begin, end };
  } finally {
    for (const channel of channels) channel.close();
  }
}

/** One channel of a file, as it is looked through. */
class Channel {
  begin = Number.POSITIVE_INFINITY;
  end = 0;
  readonly #decoder: OpusDecoder;
  #soundSlots = 0;

  constructor(decoder: OpusDecoder) {
    this.#decoder = decoder;
  }

  take(packet: Uint8Array, slot: number, slots: number, doesCount: boolean): void {
    const hasSound = !isSilence(packet) && rms(this.#decoder.decode(packet)) >= SOUND_RMS;
    this.#soundSlots = hasSound && doesCount ? this.#soundSlots + slots : 0;
    if (this.#soundSlots < MIN_SOUND_SLOTS) return;
    this.begin = Math.min(this.begin, slot + slots - this.#soundSlots);
    this.end = slot + slots;
  }

  /** Frees native memory. */
  close(): void {
    this.#decoder.close();
  }
}

/** Most of a channel is silence that was put in: to decode it would tell nothing. */
function isSilence(packet: Uint8Array): boolean {
  return packet.length === OPUS_SILENCE.length && packet.every((byte, index) => byte === OPUS_SILENCE[index]);
}

function rms(samples: Int16Array | null): number {
  let energy = 0;
  for (const sample of samples ?? []) energy += sample * sample;
  return Math.sqrt(energy / Math.max(1, samples?.length ?? 0));
}
