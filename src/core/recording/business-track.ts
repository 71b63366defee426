import { createOpusPacket, opusPacketTicks, readOpusPacket } from "../audio/opus-packet.ts";
import { SLOT_MS, SLOT_TICKS, type SlotFrames } from "./slot-frames.ts";
import { SlotRing } from "./slot-ring.ts";

/** As the caller's: the hold-back, and a hold-up of the program. */
const CAPACITY_SLOTS = 128;
/** Packets after which it is checked that the slots that they went to are the right ones: half a second. */
const CHECK_PACKETS = 25;
/** A packet this far before its slot, in slots, came twice in one. */
const TOO_EARLY = -0.6;
/** The media clock's timer may be early by some of a slot's time: so much later than usual is a slot that was skipped for certain. */
const SKIPPED = 1.1;

// One for all recordings of a thread: no packet outlives the call that brings it.
const opusPacket = createOpusPacket();

/**
 * What the business sends, one packet per slot of the media clock, laid out in the recording's slots.
 *
 * Ticks come late now and then, by up to a slot; a later one is of another slot. A packet goes to the next slot unless its time
 * says that slots were skipped.
 */
export class BusinessTrack {
  readonly #ring = new SlotRing(CAPACITY_SLOTS);
  #firstSlot = 0;
  #nextSlot = 0;
  #hasPackets = false;
  /** As `phaseMs`, in slots. */
  #usual = 0;
  #leastOfLate = Number.POSITIVE_INFINITY;
  #packetsToCheck = CHECK_PACKETS;
  #unplaced = 0;

  /** Packets that found no place, or do not last 20 ms. */
  get unplaced(): number {
    return this.#unplaced;
  }

  /** How long after the beginning of its slot a packet is sent that is not late, in ms; negative: before. */
  get phaseMs(): number {
    return this.#usual * SLOT_MS;
  }

  /**
   * Takes a copy of a packet that was sent now.
   *
   * @param position Time since the beginning of slot 0, in slots.
   */
  push(bytes: Uint8Array, position: number): void {
    const slot = this.#slotAt(position);
    if (slot === null || !this.#put(slot, bytes)) this.#unplaced += 1;
  }

  /** What was sent in a slot, valid until the next call; null when nothing was. Slots are asked for in order. */
  take(slot: number): SlotFrames | null {
    this.#firstSlot = slot + 1;
    return this.#ring.take(slot);
  }

  #slotAt(position: number): number | null {
    if (!this.#hasPackets) {
      this.#hasPackets = true;
      this.#nextSlot = Math.round(position);
      this.#usual = position - this.#nextSlot;
    }
    let lateness = position - this.#nextSlot;
    if (lateness < TOO_EARLY) return null;
    const skipped =
      lateness - this.#usual >= SKIPPED ? Math.floor(lateness - this.#usual) : this.#check(lateness);
    this.#nextSlot += skipped;
    lateness -= skipped;
    this.#usual = Math.min(this.#usual, lateness);
    return this.#nextSlot++;
  }

  /** A skipped slot hides when packets before it were all late; when those after it are, too, it shows. */
  #check(lateness: number): number {
    this.#leastOfLate = Math.min(this.#leastOfLate, lateness);
    this.#packetsToCheck -= 1;
    if (this.#packetsToCheck > 0) return 0;
    const skipped = Math.max(0, Math.round(this.#leastOfLate - this.#usual));
    this.#usual = this.#leastOfLate - skipped;
    this.#leastOfLate = Number.POSITIVE_INFINITY;
    this.#packetsToCheck = CHECK_PACKETS;
    return skipped;
  }

  #put(slot: number, bytes: Uint8Array): boolean {
    if (slot < this.#firstSlot || slot >= this.#firstSlot + CAPACITY_SLOTS) return false;
    if (readOpusPacket(bytes, 0, bytes.length, opusPacket) !== null) return false;
    const { toc, frameTicks, frameCount, frameOffsets, frameLengths } = opusPacket;
    if (opusPacketTicks(opusPacket) !== SLOT_TICKS) return false;
    const frames = this.#ring.add(slot, toc, frameTicks);
    for (let i = 0; i < frameCount; i += 1) {
      if (frames.put(i, toc, bytes, frameOffsets[i] ?? 0, frameLengths[i] ?? 0)) continue;
      this.#ring.take(slot);
      return false;
    }
    return true;
  }
}
