import type { RecordedChannel } from "../../core/recording/recording-file.ts";
import type { FileFailure } from "../../platform/file-failure.ts";

/** `failed`: the files end where the disk did. `absent`: nothing was recorded, and there is no file. */
export type RecordingStatus = "completed" | "failed" | "absent";

export interface RecordedFile {
  readonly path: string;
  /** Of `both`, the caller is the left channel and the business the right one. */
  readonly channel: RecordedChannel;
  readonly bytes: number;
}

/** What became of a recording. */
export interface RecordedMedia {
  readonly status: RecordingStatus;
  /** Those that are there, also after a failure. */
  readonly files: readonly RecordedFile[];
  /** How long it was recorded, paused time included; the files last as long, unless they failed. */
  readonly durationMs: number;
  readonly pausedMs: number;
  /** Time of the caller's that did not come and that players conceal. */
  readonly concealedMs: number;
  /** Packets' frames that came and are not recorded (docs/recording.md). */
  readonly framesUnplaced: number;
  /** The first reason of a failure. Its message is a sentence. */
  readonly error: FileFailure | null;
}
