import type { RtcpSession } from "../core/transport/rtp/rtcp-session.ts";
import { RTP_HEADER_BYTES, RtpPacketBuffer, RtpWriter } from "../core/transport/rtp/rtp.ts";
import {
  type TelephoneEventPacket,
  TelephoneEventSender,
} from "../core/transport/rtp/telephone-event-sender.ts";
import { type Random, randomUint32 } from "../platform/random.ts";
import { GAP, HELD } from "./bridge-source.ts";
import type { MediaLeg } from "./engine.ts";
import type { Interruption, OutgoingSource } from "./playback.ts";
import { SLOT_RTP_TICKS } from "./rtp-clock.ts";
import { OPUS_SILENCE } from "./silence.ts";

export interface OutgoingAudioOptions {
  readonly leg: MediaLeg;
  /** Is told of every packet sent. */
  readonly rtcp: RtcpSession;
  readonly opusType: number;
  /** Null when none was negotiated: no digits are pushed then. */
  readonly telephoneEventType: number | null;
  readonly random: Random;
}

// One for all calls of a thread: no packet outlives the call that sends it.
const packetBuffer = new RtpPacketBuffer();

/** The stream that goes out: one packet per slot, a digit's, of what is playing, of what is live, or silence. */
export class OutgoingAudio {
  readonly digits: TelephoneEventSender = new TelephoneEventSender();
  readonly #leg: MediaLeg;
  readonly #rtcp: RtcpSession;
  readonly #writer: RtpWriter;
  readonly #opusType: number;
  readonly #telephoneEventType: number;
  /** Is told of the Opus packet of each slot, silence in those of digits; the bytes are valid only during the call. */
  onAudio: ((payload: Uint8Array, nowMs: number) => void) | null = null;
  #playback: OutgoingSource | null = null;
  #live: OutgoingSource | null = null;
  #needsMarker = true;
  #firstSlot = 0;
  #lastSlot = 0;
  packetsSent = 0;
  packetsNotSent = 0;
  slotsSkipped = 0;

  constructor(options: OutgoingAudioOptions) {
    this.#leg = options.leg;
    this.#rtcp = options.rtcp;
    this.#opusType = options.opusType;
    this.#telephoneEventType = options.telephoneEventType ?? -1;
    this.#writer = new RtpWriter({
      ssrc: options.leg.local.ssrc,
      firstSequence: randomUint32(options.random) & 0xffff,
      firstTimestamp: randomUint32(options.random),
      buffer: packetBuffer,
    });
  }

  /** Sends the first packet. The stream's time begins with `slot`. */
  start(slot: number, nowMs: number): void {
    this.#firstSlot = slot;
    this.#lastSlot = slot;
    this.#sendNext(nowMs);
  }

  /** Sends the packet of `slot`; false when that one's has been sent. */
  send(slot: number, nowMs: number): boolean {
    const skipped = slot - this.#lastSlot - 1;
    if (skipped < 0) return false;
    if (skipped > 0) {
      this.slotsSkipped += skipped;
      // RFC 3551 §4.1: the marker tells the receiver that it may adjust its playout here.
      this.#needsMarker = true;
    }
    this.#lastSlot = slot;
    this.#sendNext(nowMs);
    return true;
  }

  /** Plays from the next slot on that no digit needs, in place of what is playing. */
  play(source: OutgoingSource): void {
    this.#playback?.end("replaced");
    this.#playback = source;
  }

  /** What is heard while nothing is playing, in place of what was. */
  playLive(source: OutgoingSource): void {
    this.#live?.end("replaced");
    this.#live = source;
  }

  /** The caller pressed a key or began to speak: ends what is to end by it. */
  interrupt(by: Interruption): void {
    for (const source of [this.#playback, this.#live]) {
      if (source?.interruptOn.includes(by)) source.end("interrupted", by);
    }
  }

  /** Ends what is played, and digits. */
  close(): void {
    this.#playback?.end("call-ended");
    this.#live?.end("call-ended");
    this.#playback = null;
    this.#live = null;
    this.digits.clear();
  }

  #sendNext(nowMs: number): void {
    const ticks = (this.#lastSlot - this.#firstSlot) * SLOT_RTP_TICKS;
    if (this.digits.isIdle) {
      this.#sendAudio(this.#nextPayload(), ticks, nowMs);
      return;
    }
    const event = this.digits.next(ticks);
    if (event === null) this.#sendAudio(OPUS_SILENCE, ticks, nowMs);
    else this.#sendEvent(event, ticks, nowMs);
  }

  #nextPayload(): Uint8Array {
    const packet = this.#playback?.take() ?? null;
    if (packet !== null) return packet;
    this.#playback = null;
    const live = this.#live?.take() ?? null;
    if (live !== null) return live;
    this.#live = null;
    return OPUS_SILENCE;
  }

  #sendAudio(payload: Uint8Array, ticks: number, nowMs: number): void {
    if (payload !== HELD) this.onAudio?.(payload, nowMs);
    if (payload.length === 0) {
      if (payload === GAP) this.#writer.skip();
      return;
    }
    const packet = this.#writer.write(payload, this.#opusType, ticks, this.#needsMarker);
    if (this.#send(packet, ticks, nowMs)) this.#needsMarker = false;
  }

  #sendEvent(event: TelephoneEventPacket, ticks: number, nowMs: number): void {
    this.onAudio?.(OPUS_SILENCE, nowMs);
    const { payload, mediaRtpTicks, marker } = event;
    this.#send(this.#writer.write(payload, this.#telephoneEventType, mediaRtpTicks, marker), ticks, nowMs);
  }

  #send(packet: Uint8Array, ticks: number, nowMs: number): boolean {
    if (!this.#leg.sendRtp(packet)) {
      this.packetsNotSent += 1;
      return false;
    }
    this.packetsSent += 1;
    this.#rtcp.onRtpSent(this.#writer.timestampAt(ticks), packet.length - RTP_HEADER_BYTES, nowMs);
    return true;
  }
}
