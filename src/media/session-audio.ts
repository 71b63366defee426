import type { EncodedPrompt } from "./encoded-prompt.ts";
import type { SpeechNews, SpeechWatchOptions } from "./listening/speech-watch.ts";
import type { OpusRateHz } from "./opus-codec.ts";
import type { PcmListener, PcmPlaybackOptions } from "./pcm-playback.ts";
import type { Playback, PlaybackOptions } from "./playback.ts";
import type { CallRecorderOptions } from "./recording/call-recorder.ts";
import type { RecordedMedia } from "./recording/recorded-media.ts";
import type { PacketRingMemory } from "./shared-packet-ring.ts";

/** Samples on their way to the caller. */
export interface PcmWriter extends Playback {
  /** Queues samples, which are given away. Beyond `MAX_PCM_QUEUE_MS` they are dropped. */
  write(samples: Int16Array): void;
  /** `onMark` is told when all that was written so far has left. */
  mark(number: number): void;
  /** Drops what was not played yet. */
  clear(): void;
  /** No more is written: it ends when all has been played. */
  finish(): void;
}

/** Something that goes on until it is stopped, or the call ends. */
export interface Ongoing<End = OngoingEnd> {
  /** Never rejects. */
  readonly finished: Promise<End>;
  /** Idempotent. */
  stop(): void;
}

/** `failed`: it broke down, or there are too many of its kind. */
export type OngoingEnd = "stopped" | "failed" | "call-ended";

export type RecorderOptions = Pick<CallRecorderOptions, "path" | "channels" | "layout">;

/** A recording of one call. */
export interface MediaRecording extends Ongoing<RecordedMedia> {
  /** What follows is recorded as silence, until `resume`. */
  pause(): void;
  resume(): void;
}

/** One call's ends of the two rings that join it with another. */
export interface BridgeEnds {
  /** What the caller says goes into it. */
  readonly to: PacketRingMemory;
  /** What the caller hears comes out of it. */
  readonly from: PacketRingMemory;
}

export interface ListenOptions {
  readonly rateHz: OpusRateHz;
}

/** What can be done with a call's audio, in whatever thread it runs. */
export interface SessionAudio {
  /**
   * Plays prompts one after the other, in place of what is playing. Before `startRtp` they wait, so that the first word is heard; while
   * digits are being sent they are held, so that no word is lost.
   */
  play(prompts: readonly EncodedPrompt[], options?: PlaybackOptions): Playback;
  /** Plays samples as they are written. */
  playPcm(options: PcmPlaybackOptions, listener: PcmListener): PcmWriter;
  /** Gives what the caller says: 20 ms at a time, without a gap from the first packet on. The samples are valid only during the call. */
  listen(options: ListenOptions, onSamples: (samples: Int16Array) => void): Ongoing;
  /** Tells when the caller begins and stops to speak. */
  watchSpeech(options: SpeechWatchOptions, onSpeech: (news: SpeechNews) => void): Ongoing;
  /** Records into a file that must not exist yet. */
  record(options: RecorderOptions): MediaRecording;
  /** Passes what the caller says on, untouched, and lets the caller hear the other side while nothing is played. */
  bridge(ends: BridgeEnds): Ongoing;
}
