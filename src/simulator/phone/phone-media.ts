import type { AudioDescription, DtlsSetup, IceCandidate } from "../../core/sdp/model.ts";

/** What the phone says: a file or raw PCM (48 kHz mono), a tone, digital silence, or no packets at all. */
export type PhoneVoice =
  | { readonly type: "file"; readonly path: string; readonly loop?: boolean }
  | { readonly type: "tone"; readonly frequencyHz: number }
  | { readonly type: "silence" }
  | { readonly type: "mute" };

export interface PhoneMediaOptions {
  readonly voice: PhoneVoice;
  /** The role that the phone's offer names; `actpass` lets the business choose, and WhatsApp's relay then serves. */
  readonly setup: DtlsSetup;
  /** Opus payload type of the offer. */
  readonly opusPayloadType: number;
  readonly telephoneEventPayloadType: number;
  /** Address to bind and to offer. Default 127.0.0.1. */
  readonly host?: string;
  /** Keep the received audio as PCM for the report, at most this long. Default 120 000 ms. */
  readonly keepAudioMs?: number;
}

/** The phone's side of the offer. */
export interface PhoneMediaParameters {
  readonly iceUfrag: string;
  readonly icePwd: string;
  readonly sha256Fingerprint: string;
  readonly candidates: readonly IceCandidate[];
  readonly ssrc: number;
}

/** Everything the phone can say about the media it got. Times are ms since `startedAtMs` (monotonic), null: never. */
export interface PhoneMediaReport {
  readonly iceConnectedMs: number | null;
  readonly dtlsConnectedMs: number | null;
  readonly firstRtpMs: number | null;
  readonly lastRtpMs: number | null;
  readonly packetsReceived: number;
  /** By sequence number, between the first and the highest packet. */
  readonly packetsLost: number;
  readonly packetsDuplicate: number;
  /** Packets whose payload type was neither Opus nor telephone-event as offered. */
  readonly packetsWrongPayloadType: number;
  /** RTP that came while media was not yet allowed (before the accept); WhatsApp would start the user's timer. */
  readonly packetsBeforeAccept: number;
  /** SRTP datagrams that came before DTLS was done. */
  readonly packetsBeforeDtls: number;
  /** Datagrams that failed SRTP authentication or were no known protocol. */
  readonly packetsRejected: number;
  readonly ssrcCount: number;
  /** Longest time between two packets, in ms. */
  readonly longestGapMs: number;
  /** 99th percentile of the times between packets, in ms. */
  readonly gapP99Ms: number;
  /** RTP timestamp steps that were not a multiple of 960 (20 ms at 48 kHz). */
  readonly badTimestampSteps: number;
  /** Packets with the marker bit. */
  readonly markers: number;
  /** RFC 4733 digits heard, in order. */
  readonly digits: string;
  readonly packetsSent: number;
  readonly roleConflicts: number;
}

/** The phone's media: ICE-lite agent, DTLS, SRTP, Opus. Sends nothing until `startSending`. */
export interface PhoneMedia {
  readonly parameters: PhoneMediaParameters;
  readonly startedAtMs: number;
  /** Monotonic ms of the last RTP or RTCP that came in and was authentic; null: none yet. */
  readonly lastReceivedAtMs: number | null;
  /** The business's answer is known: checks are answered from now on, and DTLS starts when its role says so. */
  applyAnswer(answer: AudioDescription): void;
  /** The business accepted: its media is welcome, and the phone starts to speak once DTLS is up. */
  markAccepted(): void;
  /** RFC 4733 digits with 100 ms a digit and 60 ms between; `w` waits 500 ms. Resolves when the last one is out. */
  sendDigits(digits: string): Promise<void>;
  /** Stops sending audio (goes silent), as a phone that lost its network. */
  goSilent(): void;
  report(): PhoneMediaReport;
  /** What was heard, 48 kHz mono 16-bit, lost packets as silence. */
  heardPcm(): Int16Array;
  /** Resolves at the first authentic RTP packet after `markAccepted`, or rejects never; null when closed before. */
  readonly firstRtp: Promise<number | null>;
  close(): Promise<void>;
}
