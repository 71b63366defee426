import { OggOpusWriter } from "../audio/ogg/ogg-opus-writer.ts";
import { writeOpusPacket } from "../audio/opus-framing.ts";
import { SLOT_TICKS, type SlotFrames } from "./slot-frames.ts";

/** Whose voice a file holds; of `both`, the caller is the left channel and the business the right one. */
export type RecordedChannel = "caller" | "business" | "both";

/** RFC 7845 §4.2: by as much an encoder's audio lags behind its packets: 6.5 ms in libopus, which all WebRTC stacks use. */
export const PRE_SKIP_TICKS = 312;

/** Two slots' frames with all their lengths, at the most. */
const SCRATCH_BYTES = 8192;
// One for all recordings of a thread: a packet is copied into its page at once.
const scratch = new Uint8Array(SCRATCH_BYTES);

export interface RecordingFileOptions {
  readonly channel: RecordedChannel;
  /** Random. */
  readonly serial: number;
  readonly onPage: (page: Uint8Array) => void;
}

/** One Ogg Opus file of a recording, as it grows. */
export class RecordingFile {
  readonly channel: RecordedChannel;
  readonly #writer: OggOpusWriter;
  readonly #onPage: (page: Uint8Array) => void;
  #hasBegun = false;

  constructor(options: RecordingFileOptions) {
    this.channel = options.channel;
    this.#onPage = options.onPage;
    this.#writer = new OggOpusWriter({
      serial: options.serial,
      channelCount: options.channel === "both" ? 2 : 1,
      preSkipTicks: PRE_SKIP_TICKS,
    });
  }

  /** Writes a slot. @param caller Null when the file has no such channel; the same for the business. */
  write(caller: SlotFrames | null, business: SlotFrames | null): void {
    this.#begin();
    const slots = (caller ?? business)?.slots ?? 1;
    const page = this.#writer.write(scratch, this.#compose(caller, business), slots * SLOT_TICKS);
    if (page !== null) this.#onPage(page);
  }

  /** Ends the file with one slot more than it lasts: the last packet's audio comes out with it. */
  finish(caller: SlotFrames | null, business: SlotFrames | null, playedTicks: number): void {
    this.#begin();
    const lengthBytes = this.#compose(caller, business);
    for (const page of this.#writer.finish(scratch, lengthBytes, playedTicks)) this.#onPage(page);
  }

  #begin(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    this.#onPage(this.#writer.begin());
  }

  #compose(caller: SlotFrames | null, business: SlotFrames | null): number {
    let end = 0;
    if (caller !== null) end = writeOpusPacket(caller, caller.bytes, scratch, end, business !== null);
    if (business !== null) end = writeOpusPacket(business, business.bytes, scratch, end, false);
    return end;
  }
}
