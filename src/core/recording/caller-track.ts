import { createOpusPacket, readOpusPacket } from "../audio/opus-packet.ts";
import { CallerStream } from "./caller-stream.ts";
import type { SlotFrames } from "./slot-frames.ts";

// One for all recordings of a thread: no packet outlives the call that brings it.
const opusPacket = createOpusPacket();

/** What the caller sends, laid out in the recording's slots: one RTP stream, or several one after the other. */
export class CallerTrack {
  #stream: CallerStream;
  /** The stream before, until all of it was taken. */
  #former: CallerStream | null = null;
  /** Of streams that are gone, and of packets that are no Opus. */
  #unplaced = 0;

  /** @param fastestTransitMs Of the fastest packets, as `arrival - rtpTimestamp / 48`; null when it is not known. */
  constructor(fastestTransitMs: number | null) {
    this.#stream = new CallerStream(fastestTransitMs);
  }

  /** Frames that came and found no place. */
  get unplaced(): number {
    return this.#unplaced + this.#stream.unplaced + (this.#former?.unplaced ?? 0);
  }

  /** Takes a copy of a packet's frames. Never throws: what is no Opus is counted. */
  push(bytes: Uint8Array, offset: number, lengthBytes: number, rtpTimestamp: number, nowMs: number): void {
    if (readOpusPacket(bytes, offset, lengthBytes, opusPacket) !== null) {
      this.#unplaced += 1;
      return;
    }
    if (this.#stream.isOfOtherTime(opusPacket, rtpTimestamp, nowMs)) this.restart();
    this.#stream.push(opusPacket, bytes, rtpTimestamp, nowMs);
  }

  /** Timestamps begin anew with the next packet. */
  restart(): void {
    this.#unplaced += this.#former?.unplaced ?? 0;
    this.#former = this.#stream;
    this.#stream = new CallerStream(null);
  }

  /**
   * What came for a slot, valid until the next call; null when nothing did. Slots are asked for in order.
   *
   * @param startMs Time at which slot 0 begins.
   */
  take(slot: number, startMs: number): SlotFrames | null {
    const frames = this.#stream.take(slot, startMs);
    if (this.#former === null) return frames;
    const ending = this.#former.take(slot, startMs);
    if (frames !== null && ending !== null) this.#unplaced += 1;
    if (this.#former.isEmpty) {
      this.#unplaced += this.#former.unplaced;
      this.#former = null;
    }
    return frames ?? ending;
  }
}
