import type { EndExplanation } from "../core/call/explain-end.ts";
import type { CallPhase, EndReason } from "../core/call/types.ts";
import type { RingbackError } from "../errors.ts";
import type { Digit, MediaStats, SendDigitsOutcome } from "../media/index.ts";
import type { CallerIdentity } from "../whatsapp/call-event.ts";
import type { TimelineEntry } from "./timeline.ts";
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

/** An error that WhatsApp gave with the end of a call, with what it means and what to do about it. */
export interface RemoteError {
  readonly code: number;
  readonly title: string | null;
  readonly meaning: string;
  readonly nextStep: string;
}

/** How a call ended. There is exactly one for every call. */
export interface CallEnd {
  readonly reason: EndReason;
  /** What the reason means and, where something went wrong, what to do next. */
  readonly explanation: EndExplanation;
  /** True when it had become active. */
  readonly answered: boolean;
  /** From active to the end, in ms; 0 when it was never active. */
  readonly durationMs: number;
  /** What went wrong on our side or in the Graph API, if that is why. */
  readonly error: RingbackError | null;
  /** What WhatsApp said went wrong, if it did. */
  readonly remoteErrors: readonly RemoteError[];
}

/** What `call.on` tells. Listeners that throw or reject are logged and break nothing. */
export interface CallEvents {
  /** The call is in another phase; `call.phase` has it as well. */
  phase: [next: CallPhase, previous: CallPhase];
  /** An RFC 4733 digit that the caller pressed. */
  digit: [digit: Digit];
  /** A step was added to the timeline. */
  step: [entry: TimelineEntry];
  /** Once, at the end; `call.ended` has it also for those who come later. */
  ended: [end: CallEnd];
}

/** Names and values that a program gives a call: at most 64, texts of at most 256 characters. */
export type CallTags = Readonly<Record<string, string | number | boolean>>;

/** One WhatsApp call, as the user of this library holds it. */
export interface Call {
  /** WhatsApp's `wacid.…`. It holds the caller's number in base64: logs have the last 16 characters only. */
  readonly id: string;
  /** Its id in call records, events and the API: `call_…`. It holds nothing personal. */
  readonly recordId: string;
  /** The business number that was called. */
  readonly phoneNumberId: string;
  /** Who calls. Every part may be null: users can hide their number. */
  readonly caller: CallerIdentity;
  /** Payload of the deep link that the caller used, null when there was none. */
  readonly deeplinkPayload: string | null;
  /** Payload of the call button that the caller used, null when there was none. */
  readonly ctaPayload: string | null;
  /** Where the call stands: `ringing`, `connecting`, `active` or `ended`. */
  readonly phase: CallPhase;
  /** Every step so far, with its time. */
  readonly timeline: readonly TimelineEntry[];
  /** Resolves at the end of the call; never rejects. */
  readonly ended: Promise<CallEnd>;
  /**
   * Called for each received Opus packet: payload and RTP timestamp (48 kHz). A plain callback on the media path:
   * keep it short, and copy the bytes if you keep them. One that throws is taken off. Null: nobody listens.
   */
  onFrame: ((opusPayload: Uint8Array, rtpTimestamp: number) => void) | null;

  /** Adds a listener. Steps and phases from before are not repeated to it. */
  on<K extends keyof CallEvents>(event: K, listener: (...args: CallEvents[K]) => void): this;
  /** Takes a listener off. */
  off<K extends keyof CallEvents>(event: K, listener: (...args: CallEvents[K]) => void): this;

  /**
   * Takes the call and resolves when audio may flow both ways.
   *
   * `accept` leaves when media is up, so the first word is not clipped. Answering again changes nothing.
   * @throws {RingbackError} `CALL_ENDED` when the call ends first (its `ended` says why).
   */
  answer(): Promise<void>;
  /**
   * Turns the call away before it is active. Resolves when WhatsApp was told or could not be reached; changes nothing
   * when the call is over already.
   * @throws {RingbackError} `CALL_WRONG_PHASE` when the call is active.
   */
  reject(): Promise<void>;
  /**
   * Ends the call in any phase. Resolves when WhatsApp was told or could not be reached (the timeline then has
   * `graph-failed`); calling it again changes nothing.
   */
  hangUp(): Promise<void>;
  /**
   * Plays a sound, or several one after the other: files (MP3, WAV, Ogg Opus, FLAC), https URLs, bytes, tones, silence, speech, or
   * samples as they come. Await it for how it ended and how much was played, or stop, pause and resume it meanwhile.
   *
   * Started before the call is active, it begins with the first packet. A second one replaces the first, unless it is queued.
   * @throws {RingbackError} `MEDIA_FILE_UNUSABLE`; `OPTION_INVALID`; `SPEECH_FAILED`; `REQUEST_REFUSED`, `REQUEST_FAILED`.
   */
  play(source: PlaySource | readonly PlaySource[], options?: PlayOptions): Playing;
  /** Plays what the text-to-speech adapter makes of a text. Throws as `play`. */
  say(text: string, options?: SayOptions): Playing;
  /** Plays a tone. Throws as `play`. */
  tone(tone: ToneSpec, options?: PlayOptions): Playing;
  /** Plays nothing for a while: 1 ms to an hour. Throws as `play`. */
  silence(silenceMs: number, options?: PlayOptions): Playing;
  /**
   * Plays a prompt and waits for keys. The first key stops the prompt; keys that were pressed before count, too. The outcome is a
   * value: `digits`, `timeout`, `hangup` or `aborted`.
   * @throws {RingbackError} `OPTION_INVALID`.
   */
  gather(options?: GatherOptions): Promise<GatherResult>;
  /**
   * Records a message: after a tone, until a key, silence, its longest time or the end of the call. What became of it is a value.
   * @throws {RingbackError} `OPTION_INVALID`.
   */
  record(options: RecordOptions): Promise<RecordingResult>;
  /**
   * Records the call from now on, until `stop` or the end of the call.
   * @throws {RingbackError} `OPTION_INVALID`.
   */
  startRecording(options: StartRecordingOptions): Recording;
  /**
   * Presses keys toward the caller, as telephone events (RFC 4733): `0`-`9`, `*`, `#`, `A`-`D`, and `w` for a pause of
   * 500 ms. Resolves when they are out, with `sent`, `call-ended`, `unsupported` (the caller's phone takes none) or, in-band,
   * `replaced`.
   * Before the call is active they wait for it; a file that is playing is held meanwhile.
   * @throws {RingbackError} `OPTION_INVALID`.
   */
  sendDigits(digits: string, options?: SendDigitsOptions): Promise<SendDigitsOutcome>;
  /** When the caller begins and stops to speak, from now on. Throws `OPTION_INVALID`. */
  detectSpeech(options?: DetectSpeechOptions): SpeechEvents;
  /** What the caller says, decoded, from now on. Throws `OPTION_INVALID`. */
  audio(options?: AudioOptions): AudioStream;
  /** Samples to the caller, heard while nothing is played. A second one replaces the first. Throws `OPTION_INVALID`. */
  audioSink(rateHz: OpusRateHz): AudioSink;
  /**
   * Lets the callers of two calls talk with each other. Both calls must be answered, and neither is ended with the bridge.
   * @throws {RingbackError} `CALL_ENDED`; `OPTION_INVALID`.
   */
  bridge(other: Call, options?: BridgeOptions): Promise<Bridge>;
  /** The caller hears music or silence, and the other side of a bridge nothing. Music that cannot be played is logged. */
  hold(options?: HoldOptions): Promise<void>;
  /** Ends `hold`. Idempotent. */
  unhold(): void;
  /** Notes something in the call's record, beside what was noted before. Throws `OPTION_INVALID`. */
  tag(tags: CallTags): void;
  /** Packets, loss, jitter, at most 200 ms old; null before the media leg is open. */
  stats(): MediaStats | null;
}

/**
 * The user's program: called once for each call that rings. The call goes on after it returns. If it throws or rejects,
 * its call ends with `handler-failed`; other calls go on.
 */
export type CallHandler = (call: Call) => void | Promise<void>;
