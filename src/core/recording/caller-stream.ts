import { OPUS_TICKS_PER_MS, type OpusPacket, opusPacketTicks } from "../audio/opus-packet.ts";
import { signedTimestampDistance } from "../transport/rtp/timestamp.ts";
import { FastestTransit } from "./fastest-transit.ts";
import { SLOT_MS, SLOT_TICKS, type SlotFrames } from "./slot-frames.ts";
import { SlotRing } from "./slot-ring.ts";

/** 2.56 s: the hold-back, a hold-up of the program, and what may come early. */
const CAPACITY_SLOTS = 128;
/** Media time and arrival that are apart by this much more than before are of another stream. */
const MAX_TRANSIT_DROP_MS = 1_000;
/** So many packets in a row that come too late to be of use: the stream's time has changed for good. */
const MAX_LATE_PACKETS = 10;
/** Misplacement, in slots, that is put right at the next gap, and that is put right at once. Above half a slot, so as not to waver. */
const OFF_AT_GAP = 0.6;
const OFF_AT_ONCE = 0.75;
/** RTP timestamps have 32 bits. */
const WRAP_MS = 2 ** 32 / OPUS_TICKS_PER_MS;

/**
 * One RTP stream on its way into the recording's slots. It is laid out by its own timestamps, so that jitter does not matter; where it
 * lies in the recording's time is told by its fastest packets.
 *
 * The caller's clock is not ours: where the two have drifted apart by more than half a slot, a slot is put in or left out.
 */
export class CallerStream {
  readonly #knownTransitMs: number | null;
  readonly #ring = new SlotRing(CAPACITY_SLOTS);
  #transit = new FastestTransit(null);
  #hasPackets = false;
  /** Timestamp of the latest packet, without its wraps. */
  #latestTicks = 0;
  /** Timestamp at which the stream's own slot 0 begins. */
  #originTicks = 0;
  /** The stream's next slot to be taken; before the first one was, the lowest there is. */
  #nextSlot = 0;
  #highestSlot = 0;
  /** The recording's slot less the stream's own; null before the first one was taken. */
  #shift: number | null = null;
  #latePackets = 0;
  #unplaced = 0;

  /** @param fastestTransitMs Of the stream's fastest packets, as `arrival - rtpTimestamp / 48`; null when it is not known. */
  constructor(fastestTransitMs: number | null) {
    this.#knownTransitMs = fastestTransitMs;
  }

  get isEmpty(): boolean {
    return this.#ring.size === 0;
  }

  /** Frames without a place: late, twice there, or left out. */
  get unplaced(): number {
    return this.#unplaced;
  }

  /** True for a packet whose time does not fit those before it. */
  isOfOtherTime(packet: OpusPacket, rtpTimestamp: number, nowMs: number): boolean {
    if (!this.#hasPackets) return false;
    const transitMs = this.#transitOf(packet, this.#unwrap(rtpTimestamp), nowMs);
    return transitMs < this.#transit.ms - MAX_TRANSIT_DROP_MS || this.#latePackets >= MAX_LATE_PACKETS;
  }

  /** Takes a copy of a packet's frames. */
  push(packet: OpusPacket, bytes: Uint8Array, rtpTimestamp: number, nowMs: number): void {
    if (!this.#hasPackets) this.#begin(packet, rtpTimestamp, nowMs);
    const ticks = this.#unwrap(rtpTimestamp);
    this.#latestTicks = ticks;
    this.#transit.observe(this.#transitOf(packet, ticks, nowMs), nowMs);
    let isPlaced = false;
    for (let frame = 0; frame < packet.frameCount; frame += 1) {
      if (this.#place(packet, frame, bytes, ticks + frame * packet.frameTicks)) isPlaced = true;
      else this.#unplaced += 1;
    }
    this.#latePackets = isPlaced ? 0 : this.#latePackets + 1;
  }

  /**
   * What this stream has in a slot of the recording, valid until the next call; null when it has nothing. Slots are asked for in
   * order.
   *
   * @param startMs Time at which the recording's slot 0 begins.
   */
  take(recordingSlot: number, startMs: number): SlotFrames | null {
    if (!this.#hasPackets) return null;
    const shift = this.#shiftAt(recordingSlot, startMs);
    const slot = recordingSlot - shift;
    if (this.#shift === null) {
      if (slot < this.#nextSlot) return null;
      this.#dropTo(slot);
    } else {
      this.#unplaced += this.#dropTo(slot);
    }
    this.#shift = shift;
    // A slot that was put in: this one was taken before.
    if (slot < this.#nextSlot) return null;
    this.#nextSlot = slot + 1;
    return this.#ring.take(slot);
  }

  #begin(packet: OpusPacket, rtpTimestamp: number, nowMs: number): void {
    this.#hasPackets = true;
    this.#latestTicks = rtpTimestamp;
    this.#originTicks = rtpTimestamp;
    const transitMs = this.#transitOf(packet, rtpTimestamp, nowMs);
    if (this.#knownTransitMs === null) return;
    // It may have been learnt before or after a wrap of the timestamps.
    const wraps = Math.round((this.#knownTransitMs - transitMs) / WRAP_MS);
    const knownMs = this.#knownTransitMs - wraps * WRAP_MS;
    if (Math.abs(knownMs - transitMs) < MAX_TRANSIT_DROP_MS) this.#transit = new FastestTransit(knownMs);
  }

  #unwrap(rtpTimestamp: number): number {
    return this.#latestTicks + signedTimestampDistance(this.#latestTicks, rtpTimestamp);
  }

  /** As of a packet of 20 ms that ends where this one does: a longer one was under way no longer. */
  #transitOf(packet: OpusPacket, ticks: number, nowMs: number): number {
    return nowMs - (ticks + opusPacketTicks(packet) - SLOT_TICKS) / OPUS_TICKS_PER_MS;
  }

  #place(packet: OpusPacket, frame: number, bytes: Uint8Array, ticks: number): boolean {
    const { frameTicks, toc } = packet;
    const unitTicks = Math.min(frameTicks, SLOT_TICKS);
    const unit = Math.round((ticks - this.#originTicks) / unitTicks);
    // A sender whose pause was no whole number of frames goes on between them.
    this.#originTicks = ticks - unit * unitTicks;
    const unitsPerSlot = SLOT_TICKS / unitTicks;
    const slot = Math.floor(unit / unitsPerSlot);
    if (!this.#hasPlace(slot)) return false;
    const frames = this.#ring.at(slot) ?? this.#ring.add(slot, toc, frameTicks);
    const offset = packet.frameOffsets[frame] ?? 0;
    return frames.put(unit - slot * unitsPerSlot, toc, bytes, offset, packet.frameLengths[frame] ?? 0);
  }

  #hasPlace(slot: number): boolean {
    const { capacity, size } = this.#ring;
    if (slot >= this.#nextSlot + capacity) return false;
    if (slot > this.#highestSlot || size === 0) this.#highestSlot = slot;
    if (slot >= this.#nextSlot) return true;
    // Before anything was taken, what was sent first may come second.
    if (this.#shift !== null || this.#highestSlot - slot >= capacity) return false;
    this.#nextSlot = slot;
    return true;
  }

  /** Where the stream lies against the recording, in whole slots. */
  #shiftAt(recordingSlot: number, startMs: number): number {
    const originMs = this.#originTicks / OPUS_TICKS_PER_MS + this.#transit.ms;
    const exact = (originMs - startMs) / SLOT_MS;
    if (this.#shift === null) return Math.round(exact);
    const off = Math.abs(exact - this.#shift);
    const isGap = this.#ring.at(recordingSlot - this.#shift) === null;
    return off > (isGap ? OFF_AT_GAP : OFF_AT_ONCE) ? Math.round(exact) : this.#shift;
  }

  /** Leaves out what comes before a slot. @returns The frames that were there. */
  #dropTo(slot: number): number {
    let dropped = 0;
    const end = Math.min(slot, this.#nextSlot + this.#ring.capacity);
    for (let at = this.#nextSlot; at < end && this.#ring.size > 0; at += 1) {
      if (this.#ring.take(at) !== null) dropped += 1;
    }
    if (slot > this.#nextSlot) this.#nextSlot = slot;
    return dropped;
  }
}
