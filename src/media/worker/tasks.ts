import type { DigitOptions } from "../../core/transport/rtp/telephone-event-sender.ts";
import type { SpeechNews, SpeechWatchOptions } from "../listening/speech-watch.ts";
import type { SendDigitsOutcome } from "../media-session.ts";
import type { MarkOutcome, PcmPlaybackOptions } from "../pcm-playback.ts";
import type { PlaybackOptions, PlayResult } from "../playback.ts";
import type { RecordedMedia } from "../recording/recorded-media.ts";
import type { BridgeEnds, ListenOptions, OngoingEnd, RecorderOptions } from "../session-audio.ts";

/** What a call in a worker is asked to do over some time, as `SessionAudio` has it. */
export type TaskStart =
  /** `prompts` are numbers of prompts that were sent before. */
  | { readonly type: "play"; readonly prompts: readonly number[]; readonly options: PlaybackOptions }
  | { readonly type: "pcm"; readonly options: PcmPlaybackOptions }
  | { readonly type: "digits"; readonly digits: string; readonly options: DigitOptions }
  | { readonly type: "listen"; readonly options: ListenOptions }
  | { readonly type: "speech"; readonly options: SpeechWatchOptions }
  | { readonly type: "record"; readonly options: RecorderOptions }
  | { readonly type: "bridge"; readonly ends: BridgeEnds };

/** What each kind of task ends with. */
export interface TaskResults {
  play: PlayResult;
  pcm: PlayResult;
  digits: SendDigitsOutcome;
  listen: OngoingEnd;
  speech: OngoingEnd;
  record: RecordedMedia;
  bridge: OngoingEnd;
}

export type TaskType = TaskStart["type"];
export type TaskResult = TaskResults[TaskType];

/** To a task that is running. One that does not know an order does nothing. */
export type TaskOrder =
  | { readonly type: "stop" | "pause" | "resume" | "clear" | "finish" }
  | { readonly type: "mark"; readonly mark: number }
  | { readonly type: "write"; readonly samples: Int16Array };

/** From a task that is running. */
export type TaskNews =
  | { readonly type: "mark"; readonly mark: number; readonly outcome: MarkOutcome }
  | { readonly type: "speech"; readonly news: SpeechNews };
