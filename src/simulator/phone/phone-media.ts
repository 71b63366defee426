import type { AudioDescription, DtlsSetup, IceCandidate } from "../../core/sdp/model.ts";
import type { SrtpProfileName } from "./secure-transport.ts";

/** What the phone says: a file of any common audio format, a tone, digital silence, or no packets at all. */
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
  /** Address to bind and to offer. Default: 127.0.0.1, and ::1 where the machine has IPv6. */
  readonly host?: string;
  /** Keep the received audio for `heardPcm`, at most this long: 0–3 600 000 ms. Default 120 000 ms. */
  readonly keepAudioMs?: number;
  /** SRTP profiles in order of preference. Default: AES128_CM_HMAC_SHA1_80, then AEAD_AES_128_GCM. */
  readonly srtpProfiles?: readonly SrtpProfileName[];
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
   * RFC 4733 digits with 100 ms a digit and 60 ms between; `w` waits 500 ms. Waits for the phone to speak.
   * Resolves when the last one is out, or when the phone falls silent or closes.
   * @throws {RingbackError} `OPTION_INVALID` for other characters, or for more than 256 that wait.
   */
  sendDigits(digits: string): Promise<void>;
  /** Stops sending RTP and RTCP for good, as a phone that lost its network. The relay still answers checks. */
  goSilent(): void;
  report(): PhoneMediaReport;
  /** What was heard, 48 kHz mono 16-bit, lost packets as silence. Decodes on demand: some 10 ms a second of audio. */
  heardPcm(): Int16Array;
  /** Resolves at the first authentic RTP packet after `markAccepted`, in ms since `startedAtMs`; null when closed before. Never rejects. */
  readonly firstRtp: Promise<number | null>;
  /** Idempotent. The report and what was heard can still be read. */
  close(): Promise<void>;
}
