import type { AudioDescription, DtlsSetup, IceCandidate } from "../../core/sdp/model.ts";
import type { HeardPacket } from "./audio-track.ts";
import type { DigitTiming, PressedDigit } from "./digit-sender.ts";
import type { HearOptions } from "./listening.ts";
import type { NetworkReport, PhoneNetwork } from "./network-options.ts";
import type { PhoneQuiet } from "./quiet-detector.ts";
import type { SrtpProfileName } from "./secure-transport.ts";
import type { HeardSpan, PhoneSound } from "./sound-detector.ts";
import type { PhoneSpeech, SpeechPart, Spoken, SpokenPart } from "./speech.ts";

/**
 * What the phone says from the accept on: a file of any common audio format, a tone, a sequence of both and of pauses, digital
 * silence, or no packets at all. Silence follows what has an end.
 */
export type PhoneVoice =
  | { readonly type: "file"; readonly path: string; readonly loop?: boolean }
  /** 50 to 7000 Hz. */
  | { readonly type: "tone"; readonly frequencyHz: number }
  | { readonly type: "script"; readonly parts: readonly SpeechPart[]; readonly loop?: boolean }
  | { readonly type: "silence" }
  | { readonly type: "mute" };

export interface PhoneMediaOptions {
  readonly voice: PhoneVoice;
  /** The role that the phone's offer names; `actpass` lets the business choose, and WhatsApp's relay then serves. */
  readonly setup: DtlsSetup;
  /** Opus payload type of the offer. */
  readonly opusPayloadType: number;
  readonly telephoneEventPayloadType: number;
  /** Address to bind and to offer. Default: 127.0.0.1, and ::1 where the machine has IPv6. */
  readonly host?: string;
  /** Keep the audio for `heardPcm` and for `sentPcm`, at most this long each: 0–3 600 000 ms. Default 120 000 ms. */
  readonly keepAudioMs?: number;
  /** SRTP profiles in order of preference. Default: AES128_CM_HMAC_SHA1_80, then AEAD_AES_128_GCM. */
  readonly srtpProfiles?: readonly SrtpProfileName[];
  /** What the network does once DTLS is up. Default: nothing. */
  readonly network?: PhoneNetwork;
}

/** The phone's side of the offer. */
export interface PhoneMediaParameters {
  readonly iceUfrag: string;
  readonly icePwd: string;
  readonly sha256Fingerprint: string;
  readonly candidates: readonly IceCandidate[];
  readonly ssrc: number;
}

/**
 * Everything the phone can say about its media. Times are ms since `startedAtMs` (monotonic), null: never; but those whose names
 * end in `AtMs` are on the axis of the call's timeline.
 */
export interface PhoneMediaReport {
  readonly iceConnectedMs: number | null;
  readonly dtlsConnectedMs: number | null;
  /** What DTLS negotiated; null before it was done. */
  readonly srtpProfile: SrtpProfileName | null;
  readonly firstRtpMs: number | null;
  readonly lastRtpMs: number | null;
  readonly packetsReceived: number;
  /** Authentic RTCP packets. */
  readonly rtcpReceived: number;
  /** By sequence number, between the first and the highest packet. */
  readonly packetsLost: number;
  readonly packetsDuplicate: number;
  /** Packets whose payload type was neither Opus nor telephone-event as offered. */
  readonly packetsWrongPayloadType: number;
  /** Opus packets that last other than 20 ms by their first byte (RFC 6716 §3.1). */
  readonly packetsWrongDuration: number;
  /** RTP that came while media was not yet allowed (before the accept); WhatsApp would start the user's timer. */
  readonly packetsBeforeAccept: number;
  /** SRTP datagrams that came before DTLS was done. */
  readonly packetsBeforeDtls: number;
  /** Datagrams that failed SRTP authentication or were no known protocol. */
  readonly packetsRejected: number;
  /** Stops counting at 8. */
  readonly ssrcCount: number;
  /** Longest time between two packets, in ms. */
  readonly longestGapMs: number;
  /** 99th percentile of the times between packets, in ms. */
  readonly gapP99Ms: number;
  /** RTP timestamp steps of audio that were zero or no multiple of 960 (20 ms at 48 kHz). */
  readonly badTimestampSteps: number;
  /** Packets with the marker bit. */
  readonly markers: number;
  /** RFC 4733 digits heard, in order. */
  readonly digits: string;
  readonly packetsSent: number;
  /** The keys that the phone pressed, the first 1000. */
  readonly pressed: readonly PressedDigit[];
  /** What the phone said, part by part: of its voice the first time round, then of each `say`, the first 1000. */
  readonly spoken: readonly SpokenPart[];
  /** What the network did; null when there was none to do anything. */
  readonly network: NetworkReport | null;
  /** Checks that were answered with 487, because the business claimed to be controlled. */
  readonly roleConflicts: number;
  /** Checks with a wrong ufrag or password, or without: answered with 400 or 401. */
  readonly checksUnauthorized: number;
}

/** The phone's media: ICE-lite agent, DTLS, SRTP, Opus. Sends nothing until `startSending`. */
export interface PhoneMedia {
  readonly parameters: PhoneMediaParameters;
  readonly startedAtMs: number;
  /** Monotonic ms of the last RTP or RTCP that came in and was authentic; null: none yet. */
  readonly lastReceivedAtMs: number | null;
  /**
   * The business's SDP is known, be it its answer or its offer: checks are answered from now on, and DTLS
   * starts when its role says so. Only the first call counts, as WhatsApp knows no renegotiation.
   */
  applyAnswer(answer: AudioDescription): void;
  /** The business accepted: its media is welcome, and the phone starts to speak once DTLS is up. */
  markAccepted(): void;
  /**
   * RFC 4733 digits, with 100 ms a digit and 60 ms between unless `timing` says otherwise; `w` waits 500 ms. Waits for the phone
   * to speak. Resolves with the keys when the last one is out, or with those that were pressed when the phone falls silent or
   * closes.
   * @throws {RingbackError} `OPTION_INVALID` for other characters, for more than 256 that wait, and for the timing.
   */
  sendDigits(digits: string, timing?: DigitTiming): Promise<readonly PressedDigit[]>;
  /**
   * Says something in place of the voice, and after what was to be said before. The voice goes on afterwards where it stopped;
   * a tone begins anew. Resolves when the last packet is out, or when the phone falls silent or closes.
   * @throws {RingbackError} `MEDIA_FILE_UNUSABLE`; `OPTION_INVALID` for what cannot be said, and when 64 speeches wait.
   */
  say(speech: PhoneSpeech): Promise<Spoken>;
  /** Stops sending RTP and RTCP for good, as a phone that lost its network. The relay still answers checks. */
  goSilent(): void;
  report(): PhoneMediaReport;
  /**
   * What was heard, 48 kHz mono 16-bit, lost packets as silence, each packet at its place by RTP timestamp. Decodes on demand:
   * some 10 ms a second of audio.
   */
  heardPcm(): Int16Array;
  /**
   * The time of sample 0 of `heardPcm`: sample n came at `heardStartMs + n / 48` or later, by as much as its packet was on its
   * way for longer than the fastest one of the call; `heardPackets` tells the arrival of each. Monotonic ms, as in the call's
   * timeline; null: nothing was heard.
   */
  readonly heardStartMs: number | null;
  /** What was sent, digits as silence: as `heardPcm`. It is what one who loses nothing hears, with the codec's delay of 6.5 ms. */
  sentPcm(): Int16Array;
  /**
   * The time of sample 0 of `sentPcm`: the packet with sample n was due at `sentStartMs + n / 48`, and left then or, on a busy
   * machine, up to 100 ms later. Monotonic ms, as in the call's timeline; null: nothing was sent.
   */
  readonly sentStartMs: number | null;
  /** The audio packets that were heard, in the order of their timestamps. Decodes on demand. */
  heardPackets(): readonly HeardPacket[];
  /**
   * Where a sound is in what was heard, leaving out packets that arrived before `fromMs` (monotonic). Decodes on demand.
   * @throws {RingbackError} `OPTION_INVALID`.
   */
  spansHeard(sound: PhoneSound, fromMs?: number): readonly HeardSpan[];
  /**
   * When the last sample of a tone was heard: the end of the last of its `spansHeard`. Null: it was not heard.
   * @throws {RingbackError} `OPTION_INVALID`.
   */
  lastToneAtMs(frequencyHz: number, fromMs?: number): number | null;
  /**
   * Waits for a sound, or for quiet, in what arrives from now on. Resolves with the time at which it began (monotonic ms), or
   * with null after the timeout or when the phone closes. Decodes along while somebody waits, in order of arrival.
   * @throws {RingbackError} `OPTION_INVALID`, also when 64 wait.
   */
  hears(sound: PhoneSound | PhoneQuiet, options?: HearOptions): Promise<number | null>;
  /** `hears` for a tone. */
  waitForTone(frequencyHz: number, options?: HearOptions): Promise<number | null>;
  /** Resolves at the first authentic RTP packet after `markAccepted`, in ms since `startedAtMs`; null when closed before. Never rejects. */
  readonly firstRtp: Promise<number | null>;
  /** Idempotent. The report and what was heard can still be read. */
  close(): Promise<void>;
}
