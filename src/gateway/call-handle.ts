import type { CallPhase, LocalEndReason } from "../core/call/types.ts";
import type { MediaStats, SendDigitsOutcome } from "../media/index.ts";
import type { CallerIdentity, ConnectEvent } from "../whatsapp/call-event.ts";
import type { Call, CallEnd, CallEvents, CallTags } from "./call.ts";
import type { RecordKeeper } from "./records/record-keeper.ts";
import type { SafeEmitter } from "./safe-emitter.ts";
import type { Timeline, TimelineEntry } from "./timeline.ts";
import type { CallVerbs } from "./verbs/call-verbs.ts";
import { optionError } from "./verbs/option-checks.ts";
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
  SayOptions,
  SendDigitsOptions,
  SpeechEvents,
  StartRecordingOptions,
  ToneSpec,
} from "./verbs/types.ts";

/** What a handle needs of the session behind it. */
export interface CallControl {
  readonly phase: CallPhase;
  readonly keeper: RecordKeeper;
  readonly timeline: Timeline;
  readonly events: SafeEmitter<CallEvents>;
  readonly ended: Promise<CallEnd>;
  answer(): Promise<void>;
  reject(): Promise<void>;
  hangUp(reason: LocalEndReason): Promise<void>;
  tag(tags: CallTags): void;
  setFramesWanted(areWanted: boolean): void;
  stats(): MediaStats | null;
}

/** The record of each handle: flows write into it. */
const keepers = new WeakMap<object, RecordKeeper>();

/** The record behind a call of this process; null for what only looks like one. */
export function keeperOf(call: object): RecordKeeper | null {
  return keepers.get(call) ?? null;
}

/** The verbs behind each handle: a bridge needs those of the other call. */
const verbsOf = new WeakMap<Call, CallVerbs>();

/** The user's view of a session: what may be asked of a call, and nothing of how it is done. */
export class CallHandle implements Call {
  readonly id: string;
  readonly recordId: string;
  readonly phoneNumberId: string;
  readonly caller: CallerIdentity;
  readonly deeplinkPayload: string | null;
  readonly ctaPayload: string | null;
  readonly #session: CallControl;
  readonly #verbs: CallVerbs;
  readonly #onFrameError: (error: unknown) => void;
  #onFrame: Call["onFrame"] = null;

  constructor(
    session: CallControl,
    verbs: CallVerbs,
    event: ConnectEvent,
    onFrameError: (error: unknown) => void,
  ) {
    this.#session = session;
    this.#verbs = verbs;
    verbsOf.set(this, verbs);
    this.#onFrameError = onFrameError;
    keepers.set(this, session.keeper);
    this.id = event.callId;
    this.recordId = session.keeper.recordId;
    this.phoneNumberId = event.phoneNumberId;
    this.caller = event.caller;
    this.deeplinkPayload = event.deeplinkPayload;
    this.ctaPayload = event.ctaPayload;
  }

  get onFrame(): Call["onFrame"] {
    return this.#onFrame;
  }

  set onFrame(onFrame: Call["onFrame"]) {
    // Programs without types may take it off with undefined.
    this.#onFrame = onFrame ?? null;
    this.#session.setFramesWanted(this.#onFrame !== null);
  }

  /** Hands a received packet to the program, if it wants it. */
  deliverFrame(opusPayload: Uint8Array, rtpTimestamp: number): void {
    try {
      const result: unknown = this.#onFrame?.(opusPayload, rtpTimestamp);
      if (result instanceof Promise) result.catch((error: unknown) => this.#dropOnFrame(error));
    } catch (error) {
      this.#dropOnFrame(error);
    }
  }

  get phase(): CallPhase {
    return this.#session.phase;
  }

  get timeline(): readonly TimelineEntry[] {
    return this.#session.timeline.entries;
  }

  get ended(): Promise<CallEnd> {
    return this.#session.ended;
  }

  on<K extends keyof CallEvents>(event: K, listener: (...args: CallEvents[K]) => void): this {
    this.#session.events.on(event, listener);
    return this;
  }

  off<K extends keyof CallEvents>(event: K, listener: (...args: CallEvents[K]) => void): this {
    this.#session.events.off(event, listener);
    return this;
  }

  answer(): Promise<void> {
    return this.#session.answer();
  }

  reject(): Promise<void> {
    return this.#session.reject();
  }

  hangUp(): Promise<void> {
    return this.#session.hangUp("local-hangup");
  }

  play(source: PlaySource | readonly PlaySource[], options?: PlayOptions): Playing {
    return this.#verbs.play(source, options);
  }

  say(text: string, { voice, language, ...options }: SayOptions = {}): Playing {
    const who = { ...(voice !== undefined && { voice }), ...(language !== undefined && { language }) };
    return this.#verbs.play({ say: text, ...who }, options);
  }

  tone(tone: ToneSpec, options?: PlayOptions): Playing {
    return this.#verbs.play({ tone }, options);
  }

  silence(silenceMs: number, options?: PlayOptions): Playing {
    return this.#verbs.play({ silenceMs }, options);
  }

  gather(options?: GatherOptions): Promise<GatherResult> {
    return this.#verbs.gather(options);
  }

  record(options: RecordOptions): Promise<RecordingResult> {
    return this.#verbs.record(options);
  }

  startRecording(options: StartRecordingOptions): Recording {
    return this.#verbs.startRecording(options);
  }

  sendDigits(digits: string, options: SendDigitsOptions = {}): Promise<SendDigitsOutcome> {
    return this.#verbs.sendDigits(digits, options);
  }

  detectSpeech(options?: DetectSpeechOptions): SpeechEvents {
    return this.#verbs.detectSpeech(options);
  }

  audio(options?: AudioOptions): AudioStream {
    return this.#verbs.audio(options);
  }

  audioSink(rateHz: OpusRateHz): AudioSink {
    return this.#verbs.audioSink(rateHz);
  }

  async bridge(other: Call, options?: BridgeOptions): Promise<Bridge> {
    const verbs = verbsOf.get(other);
    if (verbs === undefined) throw optionError("other", "must be a call of this process");
    return this.#verbs.bridge(verbs, options);
  }

  hold(options?: HoldOptions): Promise<void> {
    return this.#verbs.hold(options);
  }

  unhold(): void {
    this.#verbs.unhold();
  }

  tag(tags: CallTags): void {
    this.#session.tag(tags);
  }

  stats(): MediaStats | null {
    return this.#session.stats();
  }

  /** Fifty failures a second would help nobody. */
  #dropOnFrame(error: unknown): void {
    this.onFrame = null;
    this.#onFrameError(error);
  }
}
