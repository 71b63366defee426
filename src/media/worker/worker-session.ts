import type { LocalAudio } from "../../core/sdp/model.ts";
import type { DigitOptions } from "../../core/transport/rtp/telephone-event-sender.ts";
import type { EncodedPrompt } from "../encoded-prompt.ts";
import type { MediaDownReason } from "../engine.ts";
import type { SpeechNews, SpeechWatchOptions } from "../listening/speech-watch.ts";
import type { HostedSession } from "../media-host.ts";
import type { MediaSessionListener, MediaStats, SendDigitsOutcome } from "../media-session.ts";
import { type MarkOutcome, marksAtEnd, type PcmListener, type PcmPlaybackOptions } from "../pcm-playback.ts";
import type { Playback, PlaybackOptions, PlayResult } from "../playback.ts";
import { recordingFiles } from "../recording/call-recorder.ts";
import type { RecordedMedia } from "../recording/recorded-media.ts";
import type {
  BridgeEnds,
  ListenOptions,
  MediaRecording,
  Ongoing,
  PcmWriter,
  RecorderOptions,
} from "../session-audio.ts";
import { absentRecording, failedRecording } from "../session-recordings.ts";
import type { FromWorker, ToWorker } from "./messages.ts";
import { type SessionTask, SessionTasks } from "./session-tasks.ts";
import { callStats } from "./shared-stats.ts";
import type { TaskResults, TaskType } from "./tasks.ts";
import { fromWireError } from "./wire-error.ts";

export interface WorkerSessionOptions {
  readonly call: number;
  readonly local: LocalAudio;
  readonly listener: MediaSessionListener;
  /** Shared with the worker, which keeps it up to date. */
  readonly stats: Float64Array;
  readonly post: (message: ToWorker, transfer?: readonly ArrayBuffer[]) => void;
  /** Sends the prompt unless the worker has it, and gives its number. */
  readonly sharePrompt: (prompt: EncodedPrompt) => number;
}

/** What a worker says about a call that is open. */
export type SessionMessage = Exclude<
  Extract<FromWorker, { readonly call: number }>,
  { readonly type: "opened" | "open-failed" | "closed" }
>;

/** About something that this thread asked for, also after the end. */
type TaskMessage = Extract<SessionMessage, { readonly task: number }>;

/** A call whose media runs in a worker, as this thread sees it. */
export class WorkerSession implements HostedSession {
  readonly local: LocalAudio;
  readonly #call: number;
  readonly #listener: MediaSessionListener;
  readonly #stats: Float64Array;
  readonly #post: (message: ToWorker) => void;
  readonly #tasks: SessionTasks;
  readonly #sharePrompt: (prompt: EncodedPrompt) => number;
  #areFramesWanted = false;
  #wasConnected = false;
  #isDown = false;
  /** Closed by its owner, or its worker is gone: nothing is reported from here on. */
  #isOver = false;

  constructor(options: WorkerSessionOptions) {
    this.local = options.local;
    this.#call = options.call;
    this.#listener = options.listener;
    this.#stats = options.stats;
    this.#post = options.post;
    this.#tasks = new SessionTasks(options.call, options.post);
    this.#sharePrompt = options.sharePrompt;
  }

  connect(): void {
    this.#ask({ type: "connect", call: this.#call });
  }

  startRtp(): void {
    this.#ask({ type: "start-rtp", call: this.#call });
  }

  setFramesWanted(areWanted: boolean): void {
    if (areWanted === this.#areFramesWanted) return;
    this.#areFramesWanted = areWanted;
    this.#ask({ type: "want-frames", call: this.#call, areWanted });
  }

  play(prompts: readonly EncodedPrompt[], options: PlaybackOptions = {}): Playback {
    const numbers = this.#isOver ? [] : prompts.map(this.#sharePrompt);
    const start = { type: "play", prompts: numbers, options } as const;
    return playbackOf(this.#tasks.start<"play">(start, PLAY_ENDED));
  }

  playPcm(options: PcmPlaybackOptions, listener: PcmListener): PcmWriter {
    const marks = new Set<number>();
    let end: MarkOutcome | null = null;
    const task = this.#tasks.start<"pcm">({ type: "pcm", options }, PLAY_ENDED, {
      onNews: (news) => {
        if (news.type !== "mark") return;
        marks.delete(news.mark);
        listener.onMark(news.mark, news.outcome);
      },
    });
    // Those that a task did not live to see, or a worker that is gone, are reported by nobody else.
    const finished = task.finished.then((result) => {
      end = marksAtEnd(result.outcome);
      for (const mark of marks) listener.onMark(mark, end);
      marks.clear();
      return result;
    });
    return {
      ...playbackOf({ ...task, finished }),
      write: (samples) => task.order({ type: "write", samples }),
      mark: (mark) => {
        if (end !== null) {
          listener.onMark(mark, end);
          return;
        }
        marks.add(mark);
        task.order({ type: "mark", mark });
      },
      clear: () => task.order({ type: "clear" }),
      finish: () => task.order({ type: "finish" }),
    };
  }

  listen(options: ListenOptions, onSamples: (samples: Int16Array) => void): Ongoing {
    return ongoingOf(this.#tasks.start<"listen">({ type: "listen", options }, "call-ended", { onSamples }));
  }

  watchSpeech(options: SpeechWatchOptions, onSpeech: (news: SpeechNews) => void): Ongoing {
    const task = this.#tasks.start<"speech">({ type: "speech", options }, "call-ended", {
      onNews: (news) => {
        if (news.type === "speech") onSpeech(news.news);
      },
    });
    return ongoingOf(task);
  }

  record(options: RecorderOptions): MediaRecording {
    const lost = this.#isOver ? absentRecording() : lostRecording(options);
    const task = this.#tasks.start<"record">({ type: "record", options }, lost);
    return {
      ...ongoingOf(task),
      pause: () => task.order({ type: "pause" }),
      resume: () => task.order({ type: "resume" }),
    };
  }

  bridge(ends: BridgeEnds): Ongoing {
    return ongoingOf(this.#tasks.start<"bridge">({ type: "bridge", ends }, "call-ended"));
  }

  sendDigits(digits: string, options: DigitOptions = {}): Promise<SendDigitsOutcome> {
    return this.#tasks.start<"digits">({ type: "digits", digits, options }, "call-ended").finished;
  }

  /** As the worker wrote them last, at most 200 ms ago or at the latest change. */
  stats(): MediaStats {
    return callStats.read(this.#stats);
  }

  close(): void {
    this.#ask({ type: "close", call: this.#call });
    this.#isOver = true;
    this.#tasks.close();
  }

  handle(message: SessionMessage): void {
    if (message.type === "task-done") this.#tasks.done(message.task, message.result);
    else if (message.type === "task-refused") this.#tasks.refused(message.task, fromWireError(message.error));
    else if (message.type === "task-news") this.#tasks.news(message.task, message.news);
    else if (!this.#isOver) this.#report(message);
  }

  /** A received packet; the bytes are valid only during the call. */
  takeFrame(opusPayload: Uint8Array, rtpTimestamp: number): void {
    if (this.#areFramesWanted && !this.#isOver) this.#listener.onFrame(opusPayload, rtpTimestamp);
  }

  /** What a task has heard; the samples are valid only during the call. */
  takeSamples(task: number, samples: Int16Array): void {
    if (!this.#isOver) this.#tasks.samples(task, samples);
  }

  /** The worker says nothing more about the call: it closed it, as it was asked to, or is gone, and with it the media. */
  workerIsDone(): void {
    const type = this.#wasConnected ? "lost" : "failed";
    if (!this.#isOver) this.#report({ type, call: this.#call, reason: "worker-crashed" });
    this.#isOver = true;
    this.#tasks.end();
  }

  #ask(message: ToWorker): void {
    if (!this.#isOver) this.#post(message);
  }

  #report(message: Exclude<SessionMessage, TaskMessage>): void {
    switch (message.type) {
      case "ice-connected":
        this.#listener.onIceConnected();
        return;
      case "connected":
        this.#wasConnected = true;
        this.#listener.onConnected();
        return;
      case "lost":
      case "failed":
        this.#reportDown(message.type, message.reason);
        return;
      case "first-rtp-in":
        this.#listener.onFirstRtpIn();
        return;
      case "first-rtp-out":
        this.#listener.onFirstRtpOut();
        return;
      case "digit":
        this.#listener.onDigit(message.digit);
        return;
    }
  }

  #reportDown(type: "lost" | "failed", reason: MediaDownReason | undefined): void {
    if (this.#isDown) return;
    this.#isDown = true;
    if (type === "lost") this.#listener.onLost(reason);
    else this.#listener.onFailed(reason);
  }
}

function playbackOf(task: SessionTask<"play" | "pcm">): Playback {
  return {
    finished: task.finished,
    stop: () => task.order({ type: "stop" }),
    pause: () => task.order({ type: "pause" }),
    resume: () => task.order({ type: "resume" }),
  };
}

function ongoingOf<T extends TaskType>(task: SessionTask<T>): Ongoing<TaskResults[T]> {
  return { finished: task.finished, stop: () => task.order({ type: "stop" }) };
}

/** How much of it was sent went with the worker, or nothing was. */
const PLAY_ENDED: PlayResult = { outcome: "call-ended", playedMs: 0, interruptedBy: null };

/** What the worker had written until it broke down is there. */
function lostRecording(options: RecorderOptions): RecordedMedia {
  const files = recordingFiles(options).map((file) => ({ ...file, bytes: 0 }));
  return failedRecording("worker-crashed", "The media worker broke down.", files);
}
