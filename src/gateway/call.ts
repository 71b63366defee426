import type { EndExplanation } from "../core/call/explain-end.ts";
import type { CallPhase, EndReason } from "../core/call/types.ts";
import type { RingbackError } from "../errors.ts";
import type { Digit, DigitOptions, MediaStats, PlayResult, SendDigitsOutcome } from "../media/index.ts";
import type { CallerIdentity } from "../whatsapp/call-event.ts";
import type { TimelineEntry } from "./timeline.ts";

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

export interface PlayOptions {
  /** Start again at the end, until stopped. Default false. */
  readonly loop?: boolean;
  /** Aborting it stops the playback; the outcome is then `stopped`. */
  readonly signal?: AbortSignal;
}

/** One WhatsApp call, as the user of this library holds it. */
export interface Call {
  /** WhatsApp's `wacid.…`. It holds the caller's number in base64: logs have the last 16 characters only. */
  readonly id: string;
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
   * Plays an MP3, WAV, Ogg/Opus or FLAC file and resolves when it is over, with how much of it was played.
   * Started before the call is active, it begins with the first packet. A second one replaces the first. How it ended
   * is a value: `completed`, `stopped`, `replaced` or `call-ended`.
   * @throws {RingbackError} `MEDIA_FILE_UNUSABLE`.
   */
  play(file: string, options?: PlayOptions): Promise<PlayResult>;
  /**
   * Presses keys toward the caller, as telephone events (RFC 4733): `0`-`9`, `*`, `#`, `A`-`D`, and `w` for a pause of
   * 500 ms. Resolves when they are out, with `sent`, `call-ended` or `unsupported` (the caller's phone takes none).
   * Before the call is active they wait for it; a file that is playing is held meanwhile.
   * @throws {RingbackError} `OPTION_INVALID`.
   */
  sendDigits(digits: string, options?: DigitOptions): Promise<SendDigitsOutcome>;
  /** Packets, loss, jitter, at most 200 ms old; null before the media leg is open. */
  stats(): MediaStats | null;
}

/**
 * The user's program: called once for each call that rings. The call goes on after it returns. If it throws or rejects,
 * its call ends with `handler-failed`; other calls go on.
 */
export type CallHandler = (call: Call) => void | Promise<void>;
