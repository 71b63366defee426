import {
  JitterBuffer,
  type JitterBufferStats,
  type JitterFrame,
} from "../../core/transport/rtp/jitter-buffer.ts";
import type { RtpHeader } from "../../core/transport/rtp/rtp.ts";
import { OPUS_CLOCK_RATE_HZ, SLOT_RTP_TICKS } from "../rtp-clock.ts";
import { packetTicks } from "./opus-duration.ts";

/** One Opus packet in its turn, valid only during the call that it is given in. */
export type OrderedFrame = JitterFrame;

/** Somebody who hears a call's audio in order. What it throws ends its own listening only. */
export interface OrderedConsumer {
  /** The next packet. It is to be played from this slot on, behind what is not played yet of the one before. */
  onFrame(frame: OrderedFrame): void;
  /**
   * A packet is missing.
   *
   * @param rtpTicks How long it was, in ticks of 48 kHz.
   * @param following The packet right behind it, if it is there: the lost one may be restored from it. It comes as a frame, too.
   */
  onLost(rtpTicks: number, following: OrderedFrame | null): void;
  /**
   * Once a slot of 20 ms, behind the frames and losses of it: mostly one, none in pauses and while a packet of 40 ms or more lasts,
   * several when the packets are shorter.
   */
  onSlotEnd(): void;
  /** It threw, and hears nothing more. Must not throw itself. */
  onFailed(error: unknown): void;
}

const MAX_CONSUMERS = 8;

/**
 * A call's Opus packets in order and at their time, for those who decode or pass them on. It holds packets only while somebody
 * listens. On the packet path: it allocates nothing.
 */
export class OrderedAudio {
  readonly #consumers = new Set<OrderedConsumer>();
  #buffer: JitterBuffer | null = null;
  /** Ticks of the slots so far that no packet has filled; negative while one reaches beyond its slot. */
  #owedTicks = 0;

  get isWanted(): boolean {
    return this.#buffer !== null;
  }

  /** @returns False when there are eight already. */
  add(consumer: OrderedConsumer): boolean {
    if (this.#consumers.size >= MAX_CONSUMERS) return false;
    this.#consumers.add(consumer);
    this.#buffer ??= new JitterBuffer({
      clockRateHz: OPUS_CLOCK_RATE_HZ,
      slotRtpTicks: SLOT_RTP_TICKS,
      packetRtpTicks: packetTicks,
    });
    return true;
  }

  /** Nothing more is told to it. The last one takes the packets with it that were waiting. Idempotent. */
  remove(consumer: OrderedConsumer): void {
    if (!this.#consumers.delete(consumer) || this.#consumers.size > 0) return;
    this.#buffer = null;
    this.#owedTicks = 0;
  }

  /** Takes a copy of an Opus packet that `RtpReceiver` has called new. */
  push(packet: Uint8Array, header: RtpHeader, nowMs: number): void {
    this.#buffer?.push(packet, header, nowMs);
  }

  /** Takes note of a new packet that is no audio: a telephone event. */
  skip(packet: Uint8Array, header: RtpHeader): void {
    this.#buffer?.skip(packet, header);
  }

  /** A slot of 20 ms begins. */
  tick(nowMs: number): void {
    const buffer = this.#buffer;
    if (buffer === null) return;
    this.#owedTicks += SLOT_RTP_TICKS;
    while (this.#owedTicks > 0 && this.#buffer === buffer) {
      const outcome = buffer.pop(nowMs);
      // A pause is not made up for.
      if (outcome === "wait") break;
      this.#owedTicks -= buffer.poppedRtpTicks;
      this.#tell(outcome, buffer);
    }
    this.#owedTicks = Math.min(this.#owedTicks, 0);
    this.#tell("slot-end", buffer);
  }

  /** Null while nobody listens. */
  stats(): JitterBufferStats | null {
    return this.#buffer?.stats() ?? null;
  }

  #tell(what: OrderedFrame | "lost" | "slot-end", buffer: JitterBuffer): void {
    for (const consumer of this.#consumers) {
      try {
        if (what === "slot-end") consumer.onSlotEnd();
        else if (what === "lost") consumer.onLost(buffer.poppedRtpTicks, buffer.following());
        else consumer.onFrame(what);
      } catch (error) {
        this.remove(consumer);
        consumer.onFailed(error);
      }
    }
  }
}
