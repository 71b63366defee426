import type { Logger } from "../logger.ts";
import type { Clock } from "../platform/clock.ts";
import { BridgeSource } from "./bridge-source.ts";
import { BridgeTap } from "./bridge-tap.ts";
import type { EncodedPrompt } from "./encoded-prompt.ts";
import type { IncomingAudio } from "./incoming-audio.ts";
import { AudioListener } from "./listening/audio-listener.ts";
import { type SpeechNews, SpeechWatch, type SpeechWatchOptions } from "./listening/speech-watch.ts";
import { OngoingTask } from "./ongoing.ts";
import { OpusEncoder } from "./opus-codec.ts";
import type { OutgoingAudio } from "./outgoing-audio.ts";
import { type PcmListener, PcmPlayback, type PcmPlaybackOptions } from "./pcm-playback.ts";
import { type Playback, type PlaybackOptions, PromptPlayback } from "./playback.ts";
import type {
  BridgeEnds,
  ListenOptions,
  MediaRecording,
  Ongoing,
  PcmWriter,
  RecorderOptions,
  SessionAudio,
} from "./session-audio.ts";
import { SessionRecordings } from "./session-recordings.ts";
import { SharedPacketRing } from "./shared-packet-ring.ts";

/** Each decodes for itself. */
const MAX_WATCHES = 4;

export interface CallAudioOptions {
  readonly incoming: IncomingAudio;
  readonly outgoing: OutgoingAudio;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Effort of live encoding, 0-10. */
  readonly encoderComplexity: number;
}

/** What a call's audio is used for: everything that plays, listens, records and bridges, until the call ends. */
export class CallAudio implements SessionAudio {
  readonly #options: CallAudioOptions;
  readonly #recordings: SessionRecordings;
  readonly #ongoing = new Set<OngoingTask>();
  readonly #watches = new Set<SpeechWatch>();
  #isClosed = false;

  constructor(options: CallAudioOptions) {
    this.#options = options;
    const { incoming, outgoing, clock } = options;
    this.#recordings = new SessionRecordings(incoming, outgoing, clock);
  }

  play(prompts: readonly EncodedPrompt[], options: PlaybackOptions = {}): Playback {
    const playback = new PromptPlayback(prompts, options);
    if (this.#isClosed) playback.end("call-ended");
    else this.#start(playback, "playback");
    return playback;
  }

  playPcm(options: PcmPlaybackOptions, listener: PcmListener): PcmWriter {
    const { encoderComplexity: complexity, logger } = this.#options;
    const giveEncoder = (): void => {
      OpusEncoder.create({ rateHz: options.rateHz, complexity }).then(
        (encoder) => playback.setEncoder(encoder),
        (error: unknown) => {
          logger.error({ err: error }, "there is no Opus encoder");
          playback.end("stopped");
        },
      );
    };
    const playback = new PcmPlayback(options, listener, giveEncoder);
    if (this.#isClosed) {
      playback.end("call-ended");
      return playback;
    }
    this.#start(playback, options.place);
    giveEncoder();
    return playback;
  }

  listen(options: ListenOptions, onSamples: (samples: Int16Array) => void): Ongoing {
    const { ordered } = this.#options.incoming;
    const listener = new AudioListener({
      rateHz: options.rateHz,
      onSamples,
      onFailed: (error) => this.#fail(task, error),
    });
    const task = this.#begin(() => {
      ordered.remove(listener);
      listener.close();
    });
    if (this.#isClosed) task.end("call-ended");
    else if (!ordered.add(listener)) this.#refuse(task, "a call's audio has too many listeners");
    return task;
  }

  watchSpeech(options: SpeechWatchOptions, onSpeech: (news: SpeechNews) => void): Ongoing {
    const watch = new SpeechWatch({ ...options, onSpeech, onFailed: (error) => this.#fail(task, error) });
    const { taps } = this.#options.incoming;
    const task = this.#begin(() => {
      taps.delete(watch);
      this.#watches.delete(watch);
      watch.close();
    });
    if (this.#isClosed) task.end("call-ended");
    else if (this.#watches.size >= MAX_WATCHES) {
      this.#refuse(task, "a call's speech is detected too many times at once");
    } else {
      taps.add(watch);
      this.#watches.add(watch);
    }
    return task;
  }

  record(options: RecorderOptions): MediaRecording {
    return this.#recordings.start(options);
  }

  bridge(ends: BridgeEnds): Ongoing {
    const { incoming, outgoing } = this.#options;
    const tap = new BridgeTap(new SharedPacketRing(ends.to), (error) => this.#fail(task, error));
    const source = new BridgeSource(new SharedPacketRing(ends.from));
    const task = this.#begin(() => {
      incoming.ordered.remove(tap);
      source.end("stopped");
    });
    if (this.#isClosed) task.end("call-ended");
    else if (incoming.ordered.add(tap)) outgoing.playLive(source);
    else this.#refuse(task, "a call's audio has too many listeners");
    return task;
  }

  /** The media clock's slot is over. */
  tick(nowMs: number): void {
    this.#recordings.tick(nowMs);
    if (this.#watches.size === 0) return;
    for (const watch of this.#watches) watch.tick(nowMs);
  }

  /** Ends everything that goes on. Idempotent. */
  close(nowMs: number): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const task of this.#ongoing) task.end("call-ended");
    this.#recordings.close(nowMs);
  }

  #start(source: PromptPlayback | PcmPlayback, place: PcmPlaybackOptions["place"]): void {
    const { outgoing } = this.#options;
    if (place === "live") outgoing.playLive(source);
    else outgoing.play(source);
    if (source.interruptOn.includes("speech")) this.#interruptBySpeech(source);
  }

  #interruptBySpeech(playback: PromptPlayback | PcmPlayback): void {
    const watching = this.watchSpeech({}, ({ type }) => {
      if (type === "start") playback.end("interrupted", "speech");
    });
    void playback.finished.then(() => watching.stop());
  }

  #begin(release: () => void): OngoingTask {
    const task: OngoingTask = new OngoingTask(() => {
      this.#ongoing.delete(task);
      release();
    });
    this.#ongoing.add(task);
    return task;
  }

  #refuse(task: OngoingTask, why: string): void {
    this.#options.logger.warn({}, why);
    task.end("failed");
  }

  #fail(task: OngoingTask, error: unknown): void {
    this.#options.logger.error({ err: error }, "a part of a call's audio broke down");
    task.end("failed");
  }
}
