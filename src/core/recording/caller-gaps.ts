import { monoToc20Ms, OPUS_TICKS_PER_MS } from "../audio/opus-packet.ts";
import { SILENT_SLOT, SLOT_TICKS, SlotFrames } from "./slot-frames.ts";

/** Decoders fade a loss out over about this time; what is missing longer is silence. */
const MAX_CONCEALED_SLOTS = 5;
/** RFC 6716 §2.1.9: with DTX, a frame of at most one byte begins a pause. */
const DTX_FRAME_BYTES = 1;

/** Says what to write where nothing came: a packet that makes decoders conceal the loss, or silence. */
export class CallerGaps {
  readonly #concealing = new SlotFrames();
  /** Slots since the last packet; at the beginning, in a pause and after a long gap there is nothing to go on with. */
  #gapSlots = MAX_CONCEALED_SLOTS;
  #previousToc = 0;
  #concealedTicks = 0;

  /** Time that decoders will conceal. */
  get concealedMs(): number {
    return this.#concealedTicks / OPUS_TICKS_PER_MS;
  }

  /** What to write in the next slot, valid until the next call. */
  fill(frames: SlotFrames | null): SlotFrames {
    if (frames !== null) {
      this.#gapSlots = frames.lengthBytes <= DTX_FRAME_BYTES ? MAX_CONCEALED_SLOTS : 0;
      this.#previousToc = frames.toc;
      this.#concealedTicks += frames.missingTicks;
      frames.conceal();
      return frames;
    }
    if (this.#gapSlots >= MAX_CONCEALED_SLOTS) return SILENT_SLOT;
    this.#gapSlots += 1;
    this.#concealedTicks += SLOT_TICKS;
    this.#concealing.reset(monoToc20Ms(this.#previousToc), SLOT_TICKS);
    this.#concealing.conceal();
    return this.#concealing;
  }

  /** Silence, until the next packet. */
  silence(): SlotFrames {
    this.#gapSlots = MAX_CONCEALED_SLOTS;
    return SILENT_SLOT;
  }
}
