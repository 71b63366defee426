import { BusinessTrack } from "./business-track.ts";
import { CallerGaps } from "./caller-gaps.ts";
import { CallerTrack } from "./caller-track.ts";
import { Pauses } from "./pauses.ts";
import { type RecordedChannel, RecordingFile } from "./recording-file.ts";
import { SILENT_SLOT, SLOT_MS, SLOT_TICKS, type SlotFrames } from "./slot-frames.ts";

/** One file with two channels, or one with a single channel for each. */
export type RecordingLayout = "stereo" | "files";

export interface CallRecordingOptions {
  readonly channels: RecordedChannel;
  /** Of `both` channels. */
  readonly layout: RecordingLayout;
  /** Transit time of the caller's fastest packets, as `arrival - rtpTimestamp / 48`, in ms; null when it is not known. */
  readonly fastestTransitMs: number | null;
  /** Random number for each file (RFC 3533 §6, field 5). */
  readonly serial: () => number;
  /** Bytes to append to a file; the memory is the receiver's. */
  readonly onPage: (channel: RecordedChannel, page: Uint8Array) => void;
}

export interface CallRecordingStats {
  /** What the files last. */
  readonly durationMs: number;
  readonly pausedMs: number;
  /** Time of the caller's that did not come and that players conceal. */
  readonly concealedMs: number;
  /**
   * Frames that came and are not recorded: too late, no Opus, longer than 20 ms in a stereo file, or left out because the caller's
   * clock is faster than ours.
   */
  readonly framesUnplaced: number;
}

/** Late packets find their place for as long. */
const HOLD_BACK_MS = 300;
/** After a hold-up of the program, slots are written one tick after the other, until the packets that waited have come in. */
const SLOTS_PER_TICK = 4;
const MAX_BEHIND_SLOTS = 75;
/**
 * Records a call into Ogg Opus files, packet by packet, without decoding. Sans-IO: packets and times come in, pages go out.
 *
 * Time is divided into slots of 20 ms, and each slot gets a packet: what was sent or came in, else one that conceals or silence. So
 * the files last as long as the recording did.
 */
export class CallRecording {
  readonly channels: readonly RecordedChannel[];
  readonly #files: readonly RecordingFile[];
  readonly #isStereo: boolean;
  readonly #caller: CallerTrack | null;
  readonly #business: BusinessTrack | null;
  readonly #gaps = new CallerGaps();
  readonly #pauses = new Pauses();
  /** Null before the first slot. */
  #startMs: number | null = null;
  #nextSlot = 0;
  /** Infinity until the recording is stopped. */
  #endSlot = Number.POSITIVE_INFINITY;
  /** Behind the caller's latest frame; ahead of `#nextSlot` when that one is longer than 20 ms. */
  #coveredTo = 0;
  #unsplittable = 0;
  #concealedMs = 0;

  constructor(options: CallRecordingOptions) {
    const { channels, layout } = options;
    this.#isStereo = channels === "both" && layout === "stereo";
    this.channels = channels === "both" && layout === "files" ? ["caller", "business"] : [channels];
    this.#files = this.channels.map(
      (channel) =>
        new RecordingFile({
          channel,
          serial: options.serial(),
          onPage: (page) => options.onPage(channel, page),
        }),
    );
    this.#caller = channels === "business" ? null : new CallerTrack(options.fastestTransitMs);
    this.#business = channels === "caller" ? null : new BusinessTrack();
  }

  stats(): CallRecordingStats {
    return {
      durationMs: this.#nextSlot * SLOT_MS,
      pausedMs: this.#pauses.slotsPassed * SLOT_MS,
      concealedMs: this.#concealedMs,
      framesUnplaced: this.#unsplittable + (this.#caller?.unplaced ?? 0) + (this.#business?.unplaced ?? 0),
    };
  }

  /** Takes a copy of a packet of the caller's, in the order of arrival. Whatever the bytes are, nothing is thrown. */
  caller(bytes: Uint8Array, offset: number, lengthBytes: number, rtpTimestamp: number, nowMs: number): void {
    if (!this.#isStopped) this.#caller?.push(bytes, offset, lengthBytes, rtpTimestamp, nowMs);
  }

  /** The caller's RTP timestamps begin anew, with another SSRC or after a jump. */
  callerRestarted(): void {
    this.#caller?.restart();
  }

  /** Takes a copy of the Opus packet that was sent in this slot of the media clock: 20 ms of sound or silence. */
  business(payload: Uint8Array, nowMs: number): void {
    if (!this.#isStopped) this.#business?.push(payload, this.#positionAt(nowMs));
  }

  /** Records silence in place of what is said from now on. Idempotent. */
  pause(nowMs: number): void {
    if (!this.#isStopped) this.#pauses.begin(Math.max(this.#nextSlot, Math.floor(this.#positionAt(nowMs))));
  }

  /** Ends a pause. Idempotent. */
  resume(nowMs: number): void {
    // RFC 6716 §2.1.7: with in-band FEC, a packet holds the frame before it once more, and that one is not to be recorded.
    if (!this.#isStopped) this.#pauses.end(Math.ceil(this.#positionAt(nowMs)) + 1);
  }

  /** Once per slot of the media clock: writes what no packet is waited for any more. The first call begins the recording. */
  tick(nowMs: number): void {
    if (this.#isStopped) return;
    const due = Math.floor(this.#positionAt(nowMs) - HOLD_BACK_MS / SLOT_MS) - this.#nextSlot;
    const slots = Math.min(due, Math.max(SLOTS_PER_TICK, due - MAX_BEHIND_SLOTS));
    for (let i = 0; i < slots; i += 1) this.#writeNext();
  }

  /** Writes all there is and ends the files. Idempotent. */
  stop(nowMs: number): void {
    if (this.#isStopped) return;
    const slots = this.#startMs === null ? 0 : Math.round(this.#positionAt(nowMs));
    this.#endSlot = Math.max(slots, this.#nextSlot);
    if (this.#endSlot === 0) return;
    while (this.#nextSlot < this.#endSlot) this.#writeNext();
    this.#finish();
  }

  get #isStopped(): boolean {
    return this.#endSlot !== Number.POSITIVE_INFINITY;
  }

  /** Time since the recording began, in slots. */
  #positionAt(nowMs: number): number {
    this.#startMs ??= nowMs;
    return (nowMs - this.#startMs) / SLOT_MS;
  }

  #writeNext(): void {
    const slot = this.#nextSlot;
    const caller = this.#callerIn(slot);
    const business = this.#businessIn(slot);
    const isCovered = slot < this.#coveredTo;
    for (const file of this.#files) {
      if (file.channel === "business") file.write(null, business);
      else if (!isCovered) file.write(caller, file.channel === "both" ? business : null);
    }
    if (caller !== null && !isCovered) this.#coveredTo = slot + caller.slots;
    this.#pauses.pass(slot);
    this.#nextSlot += 1;
    this.#concealedMs = this.#gaps.concealedMs;
  }

  /** Behind the end, one slot more brings out the last one's audio. */
  #finish(): void {
    const caller = this.#callerIn(this.#endSlot);
    const business = this.#businessIn(this.#endSlot);
    const playedTicks = this.#endSlot * SLOT_TICKS;
    for (const file of this.#files) {
      if (file.channel === "business") file.finish(null, business, playedTicks);
      else file.finish(caller, file.channel === "both" ? business : null, playedTicks);
    }
  }

  #callerIn(slot: number): SlotFrames | null {
    if (this.#caller === null || this.#startMs === null) return null;
    const startMs = this.#startMs + (this.#business?.phaseMs ?? 0);
    const frames = this.#caller.take(slot, startMs);
    if (slot < this.#coveredTo) {
      if (frames !== null) this.#unsplittable += 1;
      return SILENT_SLOT;
    }
    if (this.#pauses.isPaused(slot)) return this.#gaps.silence();
    if (frames === null || this.#hasPlace(frames, slot)) return this.#gaps.fill(frames);
    this.#unsplittable += 1;
    return this.#gaps.fill(null);
  }

  /** A frame of 40 or 60 ms cannot be divided: it stays whole, where nothing else lies beside it. */
  #hasPlace(frames: SlotFrames, slot: number): boolean {
    if (frames.slots === 1) return true;
    if (this.#isStereo || slot + frames.slots > this.#endSlot) return false;
    for (let at = slot + 1; at < slot + frames.slots; at += 1) if (this.#pauses.isPaused(at)) return false;
    return true;
  }

  #businessIn(slot: number): SlotFrames | null {
    if (this.#business === null) return null;
    const frames = this.#business.take(slot);
    return frames === null || this.#pauses.isPaused(slot) ? SILENT_SLOT : frames;
  }
}
