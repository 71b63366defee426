import {
  concealingFrame,
  MAX_OPUS_FRAME_BYTES,
  OPUS_TICKS_PER_MS,
  type OpusPacket,
} from "../audio/opus-packet.ts";

/** A recording is a row of slots of 20 ms: the duration of a call's packets. */
export const SLOT_MS = 20;
export const SLOT_TICKS: number = SLOT_MS * OPUS_TICKS_PER_MS;

/** RFC 6716 §3.1: frames of 2.5 ms are the shortest. */
const MAX_SLOT_FRAMES = 8;
/** Two of the longest frames; more than any network packet holds. */
const MAX_SLOT_BYTES = 2 * MAX_OPUS_FRAME_BYTES;
/** Steps in which the memory grows, so that VBR settles on one size. */
const SIZE_STEP_BYTES = 128;

/** The frames of one slot, or one frame of 40 or 60 ms, in memory that is used again and again. */
export class SlotFrames implements OpusPacket {
  toc = 0;
  frameCount = 0;
  frameTicks = 0;
  readonly frameOffsets: Uint32Array = new Uint32Array(MAX_SLOT_FRAMES);
  readonly frameLengths: Uint16Array = new Uint16Array(MAX_SLOT_FRAMES);
  bytes: Uint8Array = new Uint8Array(SIZE_STEP_BYTES);
  /** Bytes of all frames. */
  lengthBytes = 0;
  /** Frames that have come. */
  #present = 0;

  /** Slots that it takes: one, or two or three for a frame of 40 or 60 ms. */
  get slots(): number {
    return Math.max(1, this.frameTicks / SLOT_TICKS);
  }

  /** Time whose frames did not come. */
  get missingTicks(): number {
    let frames = this.frameCount;
    for (let present = this.#present; present > 0; present &= present - 1) frames -= 1;
    return frames * this.frameTicks;
  }

  /** Empties it for frames of this kind: as many as a slot takes. */
  reset(toc: number, frameTicks: number): void {
    this.toc = toc & 0xfc;
    this.frameTicks = frameTicks;
    this.frameCount = Math.max(1, SLOT_TICKS / frameTicks);
    for (let i = 0; i < this.frameCount; i += 1) this.frameLengths[i] = 0;
    this.lengthBytes = 0;
    this.#present = 0;
  }

  /**
   * Takes a copy of a frame.
   *
   * @returns False when its place is taken, it is of another kind than the others, or they are too large together.
   */
  put(index: number, toc: number, bytes: Uint8Array, offset: number, lengthBytes: number): boolean {
    const bit = 1 << index;
    if ((this.#present & bit) !== 0 || (toc & 0xfc) !== this.toc) return false;
    const end = this.lengthBytes + lengthBytes;
    if (end > MAX_SLOT_BYTES) return false;
    this.#append(index, bytes, offset, lengthBytes);
    this.#present |= bit;
    return true;
  }

  /** Fills the places of frames that did not come or have no bytes: decoders conceal them. Nothing is put in after. */
  conceal(): void {
    for (let index = 0; index < this.frameCount; index += 1) {
      if (this.frameLengths[index] !== 0) continue;
      const frame = concealingFrame(this.toc);
      this.#append(index, frame, 0, frame.length);
    }
  }

  #append(index: number, bytes: Uint8Array, offset: number, lengthBytes: number): void {
    const end = this.lengthBytes + lengthBytes;
    this.#growTo(end);
    // `set` would need a view of the frame, an object per packet.
    for (let i = 0; i < lengthBytes; i += 1) this.bytes[this.lengthBytes + i] = bytes[offset + i] ?? 0;
    this.frameOffsets[index] = this.lengthBytes;
    this.frameLengths[index] = lengthBytes;
    this.lengthBytes = end;
  }

  #growTo(lengthBytes: number): void {
    if (lengthBytes <= this.bytes.length) return;
    const grown = new Uint8Array(Math.ceil(lengthBytes / SIZE_STEP_BYTES) * SIZE_STEP_BYTES);
    grown.set(this.bytes.subarray(0, this.lengthBytes));
    this.bytes = grown;
  }
}

/** RFC 6716 §3.1, §4.3: CELT, fullband, 20 ms, mono, and its silence flag. It fits between any two packets. */
const SILENCE_TOC = 0xf8;
const SILENCE_FRAME = Uint8Array.of(0xff, 0xfe);

/** A slot of silence. Not to be changed. */
export const SILENT_SLOT: SlotFrames = new SlotFrames();
SILENT_SLOT.reset(SILENCE_TOC, SLOT_TICKS);
SILENT_SLOT.put(0, SILENCE_TOC, SILENCE_FRAME, 0, SILENCE_FRAME.length);
