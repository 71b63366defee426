import type { ToneSpec } from "../../core/audio/tone.ts";
import type { RingbackError } from "../../errors.ts";
import type { DigitOptions, Interruption, OpusRateHz, PlayResult } from "../../media/index.ts";

export type { ToneSpec } from "../../core/audio/tone.ts";
export type { Interruption, OpusRateHz, PlayResult } from "../../media/index.ts";

/** Samples made while they are played: mono, 16 bits. */
export interface PcmSource {
  readonly pcm: AsyncIterable<Int16Array>;
  readonly rateHz: OpusRateHz;
}

/**
 * What can be played: the path or the URL (https) of an MP3, WAV, Ogg Opus or FLAC file, the bytes of one, a tone, silence,
 * words to be spoken, or samples as they come.
 */
export type PlaySource =
  | string
  | URL
  | Uint8Array
  | { readonly tone: ToneSpec }
  | { readonly silenceMs: number }
  | ({ readonly say: string } & SayVoice)
  | PcmSource;

export interface PlayOptions {
  /** Start again at the end: until stopped, or this many rounds. Default false. Not for `pcm`, which comes once. */
  readonly loop?: boolean | number;
  /** Factor of the amplitude, 0 to 4. Default 1. */
  readonly gain?: number;
  /** A key that the caller presses, or a word, stops the playback. Default: nothing does. */
  readonly interruptOn?: Interruption | readonly Interruption[];
  /** Start when what is playing is over, instead of taking its place. Default false. At most 64 wait. */
  readonly queue?: boolean;
  /** Aborting it stops the playback; the outcome is then `stopped`. */
  readonly signal?: AbortSignal;
}

/** A playback: await it for its result. */
export interface Playing extends Promise<PlayResult> {
  /** Ends it after the packet at hand. Idempotent. */
  stop(): void;
  /** Silence from the next packet on, until `resume`. */
  pause(): void;
  resume(): void;
}

/** Who speaks. What the names mean is up to the text-to-speech adapter. */
export interface SayVoice {
  readonly voice?: string;
  /** BCP 47, such as `de` or `pt-BR`. */
  readonly language?: string;
}

export interface SayOptions extends SayVoice, PlayOptions {}

export interface SendDigitsOptions extends DigitOptions {
  /** As tones in the audio, for those who listen for them there, instead of as telephone events. Default false. */
  readonly inBand?: boolean;
}

export interface GatherOptions {
  /** Stop after this many keys, 1 to 128. Default 128. */
  readonly maxDigits?: number;
  /** The key that ends the input and is no part of it; null: none. Default `#`. */
  readonly finishOnKey?: string | null;
  /** Time for the first key, from the end of the prompt, in ms. Default 5,000. */
  readonly timeoutMs?: number;
  /** Time for each further key, in ms. Default: `timeoutMs`. */
  readonly interDigitTimeoutMs?: number;
  /** Played first; the first key stops it. */
  readonly prompt?: PlaySource | readonly PlaySource[];
  /** Play the prompt and wait again when no key came, this many times. Default 0, at most 20. */
  readonly retries?: number;
  /** Aborting it ends the input; the outcome is then `aborted`. */
  readonly signal?: AbortSignal;
}

/** `digits`: the caller pressed some. `timeout`: none, in all tries. */
export interface GatherResult {
  readonly outcome: "digits" | "timeout" | "hangup" | "aborted";
  /** What was pressed so far, whatever the outcome; without the key that finished it. */
  readonly digits: string;
  /** What completed the digits; null unless the outcome is `digits`. */
  readonly finishedBy: "max-digits" | "finish-key" | "timeout" | null;
}

/** `announce`: the caller is told. `dtmf`: the caller presses a key to agree. `none`: you have the right without asking. */
export type ConsentMode = "announce" | "dtmf" | "none";

export interface RecordingConsent {
  readonly mode: ConsentMode;
  /** `not-asked` for `none`; `announced` when the announcement was played to its end; `given` and `declined` by key. */
  readonly state: "not-asked" | "announced" | "given" | "declined";
  /** When, in ms since 1970; null when nothing was announced or given. */
  readonly atMs: number | null;
  /** The key that gave or declined it. */
  readonly digit: string | null;
}

export interface StartRecordingOptions {
  /** How the caller's consent is come by. There is no default: you have to choose. */
  readonly consent: ConsentMode;
  /** Played before anything is recorded; needed for `announce` and `dtmf`. What is played meanwhile begins behind it. */
  readonly announcement?: PlaySource | readonly PlaySource[];
  /** For `dtmf`: the key that agrees. Default `1`; any other key, or none within 10 s, declines. */
  readonly consentKey?: string;
  /** Who is recorded. Default `both`. */
  readonly channels?: "caller" | "business" | "both";
  /** For `both`: one stereo file (left the caller, right the business) or two files. Default `stereo`. */
  readonly layout?: "stereo" | "files";
  /** Default `opus`: the packets as they are, in Ogg. `wav` is made of them at the end. */
  readonly format?: "opus" | "wav";
  /** Default: a name of its own in the gateway's folder of recordings. Must not exist. */
  readonly file?: string;
  /** Cut silence off at both ends. Default false. */
  readonly trim?: boolean;
  /** Longest recording, in ms. Default 4 hours. */
  readonly maxMs?: number;
  /** Aborting it stops the recording; what there is is kept. */
  readonly signal?: AbortSignal;
}

export interface RecordOptions extends StartRecordingOptions {
  /** Default `caller`. */
  readonly channels?: "caller" | "business" | "both";
  /** Longest message, in ms. Default 2 minutes. */
  readonly maxMs?: number;
  /** Stop when the caller has said nothing for so long, in ms. Default: never. */
  readonly endOnSilenceMs?: number;
  /** A tone of half a second before it. Default true. */
  readonly beep?: boolean;
  /** The key that ends it; null: none. Default `#`. */
  readonly finishOnKey?: string | null;
}

export interface RecordedFile {
  readonly path: string;
  readonly channel: "caller" | "business" | "both";
  readonly bytes: number;
  readonly sha256: string;
}

/** What became of a recording. A recording that fails never ends its call. */
export interface RecordingResult {
  /**
   * `absent`: nothing was recorded, because the caller declined or was gone; or, where it was to be trimmed, there is only silence in it.
   * Its files are kept then, and named.
   */
  readonly status: "completed" | "failed" | "absent";
  readonly endedBy:
    | "stopped"
    | "finish-key"
    | "silence"
    | "max-duration"
    | "call-ended"
    | "aborted"
    | "declined"
    | "failed";
  readonly files: readonly RecordedFile[];
  /** Length of the files, pauses included. */
  readonly durationMs: number;
  /** Silence in the place of what was not to be recorded. */
  readonly pausedMs: number;
  /** Concealed or silent time in the place of lost packets. */
  readonly concealedMs: number;
  readonly consent: RecordingConsent;
  /** Why it failed. */
  readonly error: RingbackError | null;
}

/** A recording of the whole call, from `startRecording`. It ends with the call at the latest. */
export interface Recording {
  /** Never rejects. */
  readonly finished: Promise<RecordingResult>;
  /** What follows is recorded as silence: card numbers, for instance. Idempotent. */
  pause(): void;
  resume(): void;
  /** Ends it; resolves like `finished`. Idempotent. */
  stop(): Promise<RecordingResult>;
}

export interface DetectSpeechOptions {
  /** Silence that ends an utterance, in ms. Default 500. */
  readonly endSilenceMs?: number;
  /** How sure it must be that a sound is speech, 0 to 3. Default 2. */
  readonly aggressiveness?: 0 | 1 | 2 | 3;
  readonly signal?: AbortSignal;
}

export interface SpeechEvent {
  readonly type: "start" | "end";
  /** When the caller began or stopped to speak, in ms since the call's webhook, as in `call.timeline`. */
  readonly atMs: number;
}

/** The caller's utterances as they come. At most 256 events wait; the oldest go first. Ends with the call. */
export interface SpeechEvents extends AsyncIterable<SpeechEvent> {
  stop(): void;
}

export interface AudioOptions {
  /** Default 16,000. */
  readonly rateHz?: OpusRateHz;
  /** How much may wait to be read, in ms, before the oldest is dropped. Default 2,000. */
  readonly bufferMs?: number;
  readonly signal?: AbortSignal;
}

/** The caller's voice: 20 ms of mono samples at a time, without gaps from the first packet on. Ends with the call. */
export interface AudioStream extends AsyncIterable<Int16Array> {
  readonly rateHz: OpusRateHz;
  /** Pieces that were dropped because nobody read them in time. */
  readonly dropped: number;
  stop(): void;
}

/** Samples to the caller, played in real time. */
export interface AudioSink {
  readonly rateHz: OpusRateHz;
  /**
   * Queues mono samples; what is queued plays without a gap. Resolves when there is room for more: at most 10 s wait, and `write` beyond
   * 1 s resolves only when the queue is below it again.
   * @throws {RingbackError} `CALL_ENDED`; `OPTION_INVALID` after `end`, and when another sink or a bridge has taken its place.
   */
  write(samples: Int16Array): Promise<void>;
  /** Drops what was not played yet. */
  clear(): void;
  /** Resolves when the last sample written before it has left, or will not any more. */
  mark(): Promise<"played" | "cleared" | "call-ended">;
  /** Plays what is queued, and takes no more. Resolves when it is over. */
  end(): Promise<void>;
}

export interface BridgeOptions {
  /** Keys that one side presses are pressed toward the other. Default true. */
  readonly digits?: boolean;
  readonly signal?: AbortSignal;
}

export interface BridgeResult {
  /** `hangup`: one of the calls ended. */
  readonly outcome: "unbridged" | "hangup";
  readonly durationMs: number;
}

/** Two calls that talk with each other. */
export interface Bridge {
  /** Never rejects. */
  readonly ended: Promise<BridgeResult>;
  /** Takes them apart again; each call stays with its program. Idempotent. */
  unbridge(): void;
}

export interface HoldOptions {
  /** What the caller hears meanwhile, over and over. Default silence. */
  readonly music?: PlaySource | readonly PlaySource[];
}
