import type { GraphAction } from "./graph/calls-request.ts";
import type { GraphFaultKind } from "./graph/graph-faults.ts";
import type { DigitTiming, PressedDigit } from "./phone/digit-sender.ts";
import type { HearOptions } from "./phone/listening.ts";
import type { PhoneMedia, PhoneMediaReport } from "./phone/phone-media.ts";
import type { PhoneQuiet } from "./phone/quiet-detector.ts";
import type { PhoneSound } from "./phone/sound-detector.ts";
import type { PhoneSpeech, Spoken } from "./phone/speech.ts";

/** `connecting`: the business sent `pre_accept`. `active`: it sent `accept`. */
export type PhoneCallPhase = "ringing" | "connecting" | "active" | "ended";

/**
 * Why a call ended. `caller` hung up or gave up, `business` sent `terminate`, `rejected` it sent `reject`,
 * `not-answered` nobody accepted in time, `no-media` and `media-gap` the business was silent for too long,
 * `simulator` it was closed or could not deliver the webhook.
 */
export type PhoneCallEndedBy =
  | "caller"
  | "business"
  | "rejected"
  | "not-answered"
  | "no-media"
  | "media-gap"
  | "simulator";

/** When things happened: monotonic ms, comparable with each other and with `performance.now()`. */
export interface PhoneCallTimeline {
  /** First attempt to deliver `connect`. */
  readonly webhookSentMs: number;
  /** `connect` was answered with 200; null: never. */
  readonly webhookAnsweredMs: number | null;
  readonly preAcceptMs: number | null;
  readonly acceptMs: number | null;
  /** First authentic RTP after the accept. */
  readonly firstRtpMs: number | null;
  readonly endedMs: number;
}

/** One request to the Graph API about a call, the refused ones included. */
export interface GraphRequestRecord {
  /** `unknown`: the request named none of the five actions. */
  readonly action: GraphAction | "unknown";
  /** Null when a fault left the request without an answer. */
  readonly status: number | null;
  /** Why the request was refused: `error_data.details`, or else the message. Null when it was not. */
  readonly details: string | null;
  /** The fault that the request met, null when it met none. */
  readonly fault: GraphFaultKind["kind"] | null;
  readonly atMs: number;
}

/** All that the caller's side knows about a call that is over. */
export interface PhoneCallReport {
  readonly callId: string;
  readonly endedBy: PhoneCallEndedBy;
  /** As in the `terminate` webhook. */
  readonly status: "COMPLETED" | "FAILED";
  /** 138021 when the business was silent for too long, else null. */
  readonly errorCode: number | null;
  /** Seconds from the accept to the end, rounded; null when the call was not accepted. */
  readonly durationSeconds: number | null;
  readonly timeline: PhoneCallTimeline;
  /** The first 100 requests, in order. */
  readonly graphRequests: readonly GraphRequestRecord[];
  readonly media: PhoneMediaReport;
  /** What the caller heard: 48 kHz, mono. */
  heardPcm(): Int16Array;
  /** When sample 0 of it came, see `PhoneMedia.heardStartMs`. On the axis of the timeline; null: nothing was heard. */
  readonly heardStartMs: number | null;
  /** What the caller's phone sent: 48 kHz, mono. */
  sentPcm(): Int16Array;
  /** When sample 0 of it was due, see `PhoneMedia.sentStartMs`. On the axis of the timeline; null: nothing was sent. */
  readonly sentStartMs: number | null;
  readonly sampleRateHz: 48_000;
}

/** A call as the person with the phone has it. */
export interface PhoneCall {
  readonly callId: string;
  readonly phase: PhoneCallPhase;
  readonly media: PhoneMedia;
  /** The business's answer, from `pre_accept` or `accept`; null before. */
  readonly answerSdp: string | null;
  /** False when the call ended without an accept. Never rejects. */
  readonly accepted: Promise<boolean>;
  /** Resolves once the call is over and its last webhook was delivered or given up. Never rejects. */
  readonly ended: Promise<PhoneCallReport>;
  /** Gives up before the accept, hangs up after it. No effect on a call that is over. */
  hangUp(): void;
  /**
   * Presses keys and resolves with them when the last one is out. `w` waits 500 ms.
   * @throws {RingbackError} `CALL_WRONG_PHASE` when the call is not active; `OPTION_INVALID`.
   */
  sendDigits(digits: string, timing?: DigitTiming): Promise<readonly PressedDigit[]>;
  /**
   * Says something in place of the voice and resolves when the last packet is out.
   * @throws {RingbackError} `CALL_WRONG_PHASE` when the call is not active; `MEDIA_FILE_UNUSABLE`; `OPTION_INVALID`.
   */
  say(speech: PhoneSpeech): Promise<Spoken>;
  /**
   * Waits for a sound, or for quiet. Resolves with the time at which it began, on the axis of the timeline; null: it was not
   * heard within the time, 10 s by default, or the call ended.
   * @throws {RingbackError} `OPTION_INVALID`.
   */
  hears(sound: PhoneSound | PhoneQuiet, options?: HearOptions): Promise<number | null>;
  /** `hears` for a tone. */
  waitForTone(frequencyHz: number, options?: HearOptions): Promise<number | null>;
  /** The caller's audio stops, as on a phone that lost its network. */
  goSilent(): void;
}
