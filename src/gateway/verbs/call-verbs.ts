import { keyFrequencies } from "../../core/audio/tone.ts";
import type { DigitOptions, SendDigitsOutcome, WorkSlices } from "../../media/index.ts";
import { callEnded, handled } from "../call-errors.ts";
import { CallAudioSink } from "./audio-sink.ts";
import { detectSpeech, listenTo } from "./audio-streams.ts";
import { CallBridge } from "./bridge.ts";
import { ConsentRequest } from "./consent.ts";
import { DigitQueue } from "./digit-queue.ts";
import { checkGatherOptions, Gather } from "./gather.ts";
import { optionError, requireWhole } from "./option-checks.ts";
import { MAX_SOURCES, Player } from "./player.ts";
import { CallRecordingTask, checkRecordOptions } from "./record.ts";
import type { SoundSources } from "./sound-sources.ts";
import type {
  AudioOptions,
  AudioSink,
  AudioStream,
  Bridge,
  BridgeOptions,
  DetectSpeechOptions,
  GatherOptions,
  GatherResult,
  HoldOptions,
  OpusRateHz,
  Playing,
  PlayOptions,
  PlaySource,
  Recording,
  RecordingResult,
  RecordOptions,
  SendDigitsOptions,
  SpeechEvents,
  StartRecordingOptions,
} from "./types.ts";
import type { VerbCall } from "./verb-call.ts";
import { noteGather, notePlayback } from "./verb-notes.ts";

/** What the verbs of every call of a gateway share. */
export interface VerbContext {
  readonly sources: SoundSources;
  /** Where recordings without a file of their own go. */
  readonly recordingsFolder: string;
  /** For work on files, so that it holds up nothing. */
  readonly slices: WorkSlices;
}

const MESSAGE_MAX_MS = 120_000;
const CALL_MAX_MS = 4 * 3_600_000;
/** Of keys in-band. */
const TONE_MS = 100;
const GAP_MS = 60;
const WAIT_MS = 500;
const MAX_DIGITS = 256;

/** What can be done on one call: play, listen, ask, record, join with another call. */
export class CallVerbs {
  readonly call: VerbCall;
  readonly digits: DigitQueue;
  readonly #context: VerbContext;
  readonly #player: Player;
  readonly #recordings = new Set<Promise<RecordingResult>>();
  #bridge: CallBridge | null = null;
  #hold: Playing | "silence" | null = null;

  constructor(call: VerbCall, context: VerbContext) {
    this.call = call;
    this.#context = context;
    this.digits = new DigitQueue(call);
    this.#player = new Player(call, context.sources);
  }

  play(source: PlaySource | readonly PlaySource[], options: PlayOptions = {}): Playing {
    const playing = this.#player.play(source, options);
    // Most programs start the file, await answer(), and look at the file only then.
    playing.catch((error: unknown) => this.call.logger.warn({ err: error }, "a sound was not played"));
    if (this.#isNoted) notePlayback(this.call.keeper, playing);
    return playing;
  }

  /** @throws {RingbackError} `OPTION_INVALID`. */
  async gather(options: GatherOptions = {}): Promise<GatherResult> {
    checkGatherOptions(options);
    const isNoted = this.#isNoted;
    const result = await new Gather(this.call, this.digits, this.#player, options).run();
    if (isNoted) noteGather(this.call.keeper, result);
    return result;
  }

  /** @throws {RingbackError} `OPTION_INVALID`. */
  async record(options: RecordOptions): Promise<RecordingResult> {
    const defaults = { channels: "caller", beep: true, finishOnKey: "#", maxMs: MESSAGE_MAX_MS } as const;
    return this.#record({ ...defaults, ...options }).finished;
  }

  /** @throws {RingbackError} `OPTION_INVALID`. */
  startRecording(options: StartRecordingOptions): Recording {
    return this.#record({ maxMs: CALL_MAX_MS, ...options, beep: false, finishOnKey: null });
  }

  /** @throws {RingbackError} `OPTION_INVALID`. */
  sendDigits(digits: string, options: SendDigitsOptions): Promise<SendDigitsOutcome> {
    const { inBand = false, ...eventOptions } = options;
    return handled(inBand ? this.#playDigits(digits, eventOptions) : this.#sendEvents(digits, eventOptions));
  }

  detectSpeech(options: DetectSpeechOptions = {}): SpeechEvents {
    return detectSpeech(this.call, options);
  }

  audio(options: AudioOptions = {}): AudioStream {
    return listenTo(this.call, options);
  }

  audioSink(rateHz: OpusRateHz): AudioSink {
    return new CallAudioSink(this.call, rateHz);
  }

  /** @throws {RingbackError} `CALL_ENDED`; `OPTION_INVALID`. */
  async bridge(other: CallVerbs, options: BridgeOptions = {}): Promise<Bridge> {
    if (other === this) throw optionError("other", "must be another call than this one");
    const [mine, theirs] = await Promise.all([this.call.media(), other.call.media()]);
    for (const { call } of [this, other]) {
      if (call.endReason !== null) throw callEnded(call.id, call.endReason, "bridge", null);
    }
    if (mine === null || theirs === null) throw callEnded(this.call.id, "local-hangup", "bridge", null);
    for (const verbs of [this, other]) verbs.#bridge?.unbridge();
    const sides = [
      { verbs: this, session: mine },
      { verbs: other, session: theirs },
    ] as const;
    const bridge = new CallBridge(sides, options);
    this.#bridge = bridge;
    other.#bridge = bridge;
    for (const verbs of [this, other]) if (verbs.#hold !== null) bridge.hold();
    return bridge;
  }

  leaveBridge(bridge: CallBridge): void {
    if (this.#bridge === bridge) this.#bridge = null;
  }

  /** Resolves at once. Music that cannot be played is logged, as with any `play`. */
  async hold({ music }: HoldOptions = {}): Promise<void> {
    if (this.#hold === null) this.#bridge?.hold();
    if (typeof this.#hold === "object") this.#hold?.stop();
    this.#hold = music === undefined ? "silence" : this.play(music, { loop: true });
  }

  unhold(): void {
    if (this.#hold === null) return;
    if (typeof this.#hold === "object") this.#hold.stop();
    this.#hold = null;
    this.#bridge?.unhold();
  }

  /** Resolves when nothing of the call is left to write. Never rejects. */
  async settled(): Promise<void> {
    await Promise.all(this.#recordings);
  }

  /** What is asked of a call that is over begins nothing: its record is left as it is. */
  get #isNoted(): boolean {
    return this.call.endReason === null;
  }

  #record(options: RecordOptions): Recording {
    checkRecordOptions(options);
    const recording = new CallRecordingTask(
      {
        call: this.call,
        player: this.#player,
        digits: this.digits,
        consent: new ConsentRequest(this.call, this.#player, this.digits),
        folder: this.#context.recordingsFolder,
        slices: this.#context.slices,
      },
      options,
    );
    this.#recordings.add(recording.finished);
    void recording.finished.then(() => this.#recordings.delete(recording.finished));
    return recording;
  }

  async #sendEvents(digits: string, options: DigitOptions): Promise<SendDigitsOutcome> {
    const session = await this.call.media();
    return session === null ? "call-ended" : session.sendDigits(digits, options);
  }

  async #playDigits(
    digits: string,
    { toneMs = TONE_MS, gapMs = GAP_MS }: DigitOptions,
  ): Promise<SendDigitsOutcome> {
    requireWhole("digits.length", digits.length, 0, MAX_DIGITS);
    requireWhole("toneMs", toneMs, 40, 30_000);
    requireWhole("gapMs", gapMs, 60, 5_000);
    const sounds = Array.from(digits).flatMap((key): readonly PlaySource[] => {
      if (key === "w") return [{ silenceMs: WAIT_MS }];
      const frequencyHz = keyFrequencies(key.toUpperCase());
      if (frequencyHz === null) throw optionError("digits", "must be 0-9, *, #, A-D and w");
      return [{ tone: { frequencyHz, durationMs: toneMs } }, { silenceMs: gapMs }];
    });
    while (sounds.length > 0) {
      const { outcome } = await this.#player.play(sounds.splice(0, MAX_SOURCES), {});
      if (outcome !== "completed") return outcome === "call-ended" ? "call-ended" : "replaced";
    }
    return "sent";
  }
}
