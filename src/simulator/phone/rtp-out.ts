import { RtpHeader } from "werift";
import type { Clock } from "../../platform/clock.ts";
import type { AudioTrack } from "./audio-track.ts";
import { DigitSender, type DigitTiming, type PressedDigit } from "./digit-sender.ts";
import type { Spoken, SpokenPart } from "./speech.ts";
import { SpeechQueue } from "./speech-queue.ts";
import type { Utterance } from "./utterance.ts";
import type { Voice } from "./voice.ts";

const SLOT_MS = 20;
const SLOT_RTP_TICKS = 960;
/** After a longer stall the slots that were missed are skipped, not made up for in a burst. */
const MAX_CATCH_UP_SLOTS = 5;

export interface RtpOutOptions {
  readonly clock: Clock;
  readonly voice: Voice;
  /** Keeps the audio that was sent. */
  readonly sent: AudioTrack;
  readonly ssrc: number;
  readonly firstSequenceNumber: number;
  readonly firstTimestamp: number;
  readonly opusPayloadType: number;
  readonly telephoneEventPayloadType: number;
  /** Encrypts and sends; false when it could not. Header and payload are free for reuse when it returns. */
  readonly send: (header: RtpHeader, payload: Buffer) => boolean;
}

/**
 * Speaks: one packet every 20 ms by the monotonic clock, in one SSRC and sequence space. A slot belongs to a digit or else to
 * what the phone was told to say or else to its voice; what has to wait goes on where it stopped.
 */
export class RtpOut {
  readonly #options: RtpOutOptions;
  readonly #digits = new DigitSender();
  readonly #speech = new SpeechQueue();
  readonly #header: RtpHeader;
  #timer: NodeJS.Timeout | null = null;
  #isStopped = false;
  #dueAtMs = 0;
  #timestamp: number;
  #sequenceNumber: number;
  /** The last slot that no digit had was empty. */
  #hasPaused = true;
  /** Packets of speech that were out when the voice was last heard. */
  #speechBefore = 0;
  packetsSent = 0;
  payloadBytesSent = 0;

  constructor(options: RtpOutOptions) {
    this.#options = options;
    this.#timestamp = options.firstTimestamp >>> 0;
    this.#sequenceNumber = options.firstSequenceNumber & 0xffff;
    this.#header = new RtpHeader({
      ssrc: options.ssrc,
      payloadType: options.opusPayloadType,
      extension: false,
    });
  }

  /** RTP timestamp of the next packet. */
  get timestamp(): number {
    return this.#timestamp;
  }

  /** The keys that were pressed. */
  get pressed(): readonly PressedDigit[] {
    return this.#digits.pressed;
  }

  /** What was said: the voice, then the rest. */
  get spoken(): readonly SpokenPart[] {
    return [...this.#options.voice.spoken, ...this.#speech.spoken];
  }

  /** Idempotent. No start after a stop. */
  start(): void {
    if (this.#timer !== null || this.#isStopped) return;
    this.#dueAtMs = this.#options.clock.nowMs();
    this.#tick();
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#digits.clear();
    this.#speech.close();
  }

  /** @throws {RingbackError} What `encode` rejects with; `OPTION_INVALID` when too many speeches wait. */
  say(encode: () => Promise<Utterance>): Promise<Spoken> {
    return this.#speech.say(encode);
  }

  /** @throws {RingbackError} `OPTION_INVALID`. */
  sendDigits(digits: string, timing: DigitTiming): Promise<readonly PressedDigit[]> {
    const sent = this.#digits.push(digits, timing);
    if (this.#isStopped) this.#digits.clear();
    return sent;
  }

  readonly #tick = (): void => {
    const now = this.#options.clock.nowMs();
    this.#skipMissed(now);
    while (this.#dueAtMs <= now) {
      this.#sendSlot(now);
      this.#dueAtMs += SLOT_MS;
    }
    this.#timer = setTimeout(this.#tick, Math.max(1, Math.ceil(this.#dueAtMs - now)));
  };

  #skipMissed(now: number): void {
    const missed = Math.floor((now - this.#dueAtMs) / SLOT_MS) - MAX_CATCH_UP_SLOTS;
    if (missed <= 0) return;
    this.#dueAtMs += missed * SLOT_MS;
    this.#timestamp = (this.#timestamp + missed * SLOT_RTP_TICKS) >>> 0;
  }

  #sendSlot(nowMs: number): void {
    const event = this.#digits.next(this.#timestamp, nowMs);
    if (event !== null) {
      this.#send(this.#options.telephoneEventPayloadType, event.timestamp, event.marker, event.payload);
    } else {
      this.#sendAudio(this.#speech.next(nowMs) ?? this.#nextOfVoice(nowMs));
    }
    this.#timestamp = (this.#timestamp + SLOT_RTP_TICKS) >>> 0;
  }

  #nextOfVoice(nowMs: number): Buffer | null {
    const { voice } = this.#options;
    const { packetsOut } = this.#speech;
    if (packetsOut !== this.#speechBefore) voice.resume();
    this.#speechBefore = packetsOut;
    return voice.next(nowMs);
  }

  #sendAudio(packet: Buffer | null): void {
    // RFC 3551 §4.1: the marker begins a talkspurt. A stream without pauses is one.
    const marker = this.#hasPaused;
    this.#hasPaused = packet === null;
    if (packet === null) return;
    const { opusPayloadType, sent, ssrc } = this.#options;
    this.#send(opusPayloadType, this.#timestamp, marker, packet);
    sent.add(ssrc, this.#timestamp, packet, 0, packet.length, this.#dueAtMs);
  }

  #send(payloadType: number, timestamp: number, marker: boolean, payload: Buffer): void {
    this.#header.payloadType = payloadType;
    this.#header.timestamp = timestamp;
    this.#header.marker = marker;
    this.#header.sequenceNumber = this.#sequenceNumber;
    if (!this.#options.send(this.#header, payload)) return;
    this.#sequenceNumber = (this.#sequenceNumber + 1) & 0xffff;
    this.packetsSent += 1;
    this.payloadBytesSent += payload.length;
  }
}
