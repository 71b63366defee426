import { createOpusPacket, opusPacketTicks, readOpusPacket } from "../../core/audio/opus-packet.ts";
import { SLOT_RTP_TICKS } from "../rtp-clock.ts";

// For all calls of a thread: nothing of it is kept.
const packet = createOpusPacket();

/** How long an Opus packet lasts, in ticks of 48 kHz: 120 to 5760. What is no valid packet counts as one slot. */
export function packetTicks(bytes: Uint8Array, lengthBytes: number): number {
  return readOpusPacket(bytes, 0, lengthBytes, packet) === null ? opusPacketTicks(packet) : SLOT_RTP_TICKS;
}
