import type { OpusRateHz } from "./opus-codec.ts";
import { PcmQueue } from "./pcm-queue.ts";
import type { Interruption, OutgoingSource, Playback, PlayResult } from "./playback.ts";
import { RTP_SLOT_MS } from "./rtp-clock.ts";
import { OPUS_SILENCE } from "./silence.ts";

/** What became of a mark: all before it has left, was dropped by `clear`, or will not leave any more. */
export type MarkOutcome = "played" | "cleared" | "call-ended";

/** Encodes 20 ms at a time. */
export interface LiveEncoder {
  /** Samples by which what is decoded lags behind. */
  readonly lookaheadSamples: number;
  /** The packet is valid until the next one. */
  encode(samples: Int16Array): Uint8Array;
  close(): void;
}

export interface PcmListener {
  /** Once for each mark, in their order. */
  onMark(mark: number, outcome: MarkOutcome): void;
}

export interface PcmPlaybackOptions {
  readonly rateHz: OpusRateHz;
  /** `playback`: in place of what is playing. `live`: heard while nothing is playing. */
  readonly place: "playback" | "live";
  readonly interruptOn?: readonly Interruption[];
}

/** Longest sound that may wait, in ms: whoever writes goes by the marks, and waits long before. */
export const MAX_PCM_QUEUE_MS = 10_000;
const MAX_MARKS = 1_024;

interface Mark {
  readonly number: number;
  /** It is reached when the queue has given out so much. */
  readonly position: number;
}

/** Samples that are encoded as they are played. Silence while there are none. */
export class PcmPlayback implements Playback, OutgoingSource {
  readonly finished: Promise<PlayResult>;
  readonly interruptOn: readonly Interruption[];
  readonly #queue: PcmQueue;
  readonly #rateHz: number;
  readonly #listener: PcmListener;
  readonly #onEncoderSpent: () => void;
  readonly #marks: Mark[] = [];
  #encoder: LiveEncoder | null = null;
  #isEncoderUsed = false;
  #resolve: (result: PlayResult) => void = () => {};
  #isOver = false;
  /** What becomes of marks that the end finds, and of those that come after it. */
  #lastMarks: MarkOutcome = "played";
  #isPaused = false;
  #isFinishing = false;
  /** Packets since the encoder last fell silent. */
  #isSounding = false;
  #hasWaited = false;
  #frames = 0;

  /** @param onEncoderSpent Gives a new encoder by `setEncoder`, soon. The first one is given by itself. */
  constructor(options: PcmPlaybackOptions, listener: PcmListener, onEncoderSpent: () => void) {
    this.#rateHz = options.rateHz;
    this.#queue = new PcmQueue(options.rateHz);
    this.interruptOn = options.interruptOn ?? [];
    this.#listener = listener;
    this.#onEncoderSpent = onEncoderSpent;
    this.finished = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** From here on it is heard; what was written before has waited. Closed with the playback. */
  setEncoder(encoder: LiveEncoder): void {
    if (this.#isOver) encoder.close();
    else this.#encoder = encoder;
  }

  /** Queues a copy of the samples. Beyond 10 s they are dropped. */
  write(samples: Int16Array): void {
    if (this.#isOver || this.#isFinishing) return;
    const room = (this.#rateHz * MAX_PCM_QUEUE_MS) / 1_000 - this.#queue.queued;
    this.#queue.write(samples.length > room ? samples.subarray(0, room) : samples);
  }

  /** Reports to the listener when all that was written so far has left. */
  mark(number: number): void {
    if (this.#isOver) this.#listener.onMark(number, this.#lastMarks);
    else if (this.#marks.length >= MAX_MARKS) this.#listener.onMark(number, "cleared");
    else if (this.#queue.queued === 0 && !this.#isSounding) this.#listener.onMark(number, "played");
    else this.#marks.push({ number, position: this.#queue.written });
  }

  /** Drops what was not played yet; what is heard at the moment fades out. */
  clear(): void {
    this.#queue.clear();
    this.#dropMarks("cleared");
  }

  /** No more is written: it ends when all has been played. */
  finish(): void {
    this.#isFinishing = true;
  }

  take(): Uint8Array | null {
    const encoder = this.#encoder;
    if (encoder === null) return this.#isOver ? null : OPUS_SILENCE;
    if (!this.#isOver && !this.#isPaused && this.#isFrameDue()) return this.#play(encoder);
    if (this.#isSounding) return this.#fadeOut(encoder);
    if (this.#isOver) return this.#release();
    if (!this.#isPaused && this.#isFinishing) {
      this.end("completed");
      return this.#release();
    }
    this.#renewEncoder();
    return OPUS_SILENCE;
  }

  stop(): void {
    this.end("stopped");
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
  }

  end(outcome: PlayResult["outcome"], interruptedBy: Interruption | null = null): void {
    // Nobody takes the fading out of a call that is over, or of what something else has taken the place of.
    if (outcome === "call-ended" || outcome === "replaced") this.#release();
    if (this.#isOver) return;
    this.#isOver = true;
    this.#queue.clear();
    this.#lastMarks = marksAtEnd(outcome);
    this.#dropMarks(this.#lastMarks);
    this.#resolve({ outcome, playedMs: this.#frames * RTP_SLOT_MS, interruptedBy });
  }

  /**
   * A whole frame, or less than one: what belongs to the sound before it, as a gap between them would be heard, and what has waited
   * for a slot in vain.
   */
  #isFrameDue(): boolean {
    const { queued, frameSamples } = this.#queue;
    const isLast = this.#isSounding || this.#isFinishing || this.#hasWaited;
    const isDue = queued >= frameSamples || (queued > 0 && isLast);
    this.#hasWaited = queued > 0 && !isDue;
    return isDue;
  }

  #play(encoder: LiveEncoder): Uint8Array {
    const packet = encoder.encode(this.#queue.take());
    this.#frames += 1;
    this.#isSounding = true;
    this.#isEncoderUsed = true;
    // The encoder keeps the last few ms for the next packet.
    this.#reachMarks(this.#queue.taken - encoder.lookaheadSamples);
    return packet;
  }

  #fadeOut(encoder: LiveEncoder): Uint8Array {
    const packet = encoder.encode(this.#queue.dieAway());
    this.#isSounding = false;
    this.#reachMarks(this.#queue.taken);
    return packet;
  }

  #reachMarks(position: number): void {
    while (this.#marks[0] !== undefined && this.#marks[0].position <= position) {
      const mark = this.#marks.shift();
      if (mark !== undefined) this.#listener.onMark(mark.number, "played");
    }
  }

  #dropMarks(outcome: MarkOutcome): void {
    for (const mark of this.#marks.splice(0)) this.#listener.onMark(mark.number, outcome);
  }

  /** A packet of silence makes the decoder begin anew: an encoder that goes on where it was would be misunderstood, as a plop. */
  #renewEncoder(): void {
    if (!this.#isEncoderUsed) return;
    this.#release();
    this.#onEncoderSpent();
  }

  #release(): null {
    this.#encoder?.close();
    this.#encoder = null;
    this.#isEncoderUsed = false;
    return null;
  }
}

/** What becomes of the marks that are left when samples stop being played, and of later ones. */
export function marksAtEnd(outcome: PlayResult["outcome"]): MarkOutcome {
  if (outcome === "completed") return "played";
  return outcome === "call-ended" ? "call-ended" : "cleared";
}
