import { packetTicks } from "./listening/opus-duration.ts";
import type { Interruption, OutgoingSource, PlayResult } from "./playback.ts";
import { SLOT_RTP_TICKS } from "./rtp-clock.ts";
import type { SharedPacketRing } from "./shared-packet-ring.ts";
import { OPUS_SILENCE } from "./silence.ts";

/** In the place of a packet of the other call that was lost: nothing is sent, so that the phone conceals it as its own loss. */
export const GAP: Uint8Array = new Uint8Array(0);

/** Nothing is due: the packet before lasts for more than its slot. */
export const HELD: Uint8Array = new Uint8Array(0);

/** Both calls' clocks tick at the same rate, so that one packet waits; a second one covers a late tick. */
const MAX_WAITING = 3;
/** Slots without a packet that are concealed before there is silence. */
const MAX_CONCEALED = 5;

/** What the other call's party says, packet by packet as it was sent. */
export class BridgeSource implements OutgoingSource {
  readonly interruptOn: readonly Interruption[] = [];
  readonly #ring: SharedPacketRing;
  /** The packet before without its audio: a decoder conceals what it stands for (RFC 6716 §3.2.1, a frame of no bytes). */
  readonly #concealment = new Uint8Array(1);
  #hasSpoken = false;
  #concealed = 0;
  /** Of the packet before, beyond its slot. */
  #ticksHeld = 0;
  #isOver = false;

  constructor(ring: SharedPacketRing) {
    this.#ring = ring;
  }

  take(): Uint8Array | null {
    if (this.#isOver) return null;
    if (this.#ticksHeld > 0) {
      this.#ticksHeld -= SLOT_RTP_TICKS;
      return HELD;
    }
    // Something else was played meanwhile: what is old by now is not said any more.
    while (this.#ring.size > MAX_WAITING) this.#ring.read();
    const packet = this.#ring.read();
    if (packet === null) return this.#conceal();
    if (packet.length === 0) return GAP;
    this.#concealed = 0;
    this.#hasSpoken = true;
    this.#ticksHeld = packetTicks(packet, packet.length) - SLOT_RTP_TICKS;
    // RFC 6716 §3.1: the upper six bits are configuration and stereo; code 0 is one frame.
    this.#concealment[0] = (packet[0] ?? 0) & 0xfc;
    return packet;
  }

  end(_outcome: PlayResult["outcome"]): void {
    this.#isOver = true;
  }

  #conceal(): Uint8Array {
    if (!this.#hasSpoken || this.#concealed >= MAX_CONCEALED) return OPUS_SILENCE;
    this.#concealed += 1;
    return this.#concealment;
  }
}
