import {
  createOpusPacket,
  readOpusPacket,
  opusPacketTicks as ticksOf,
} from "../../core/audio/opus-packet.ts";
import { SLOT_RTP_TICKS } from "../rtp-clock.ts";

// For one packet at a time.
const parts = createOpusPacket();

/** How long an Opus packet lasts, in ticks of 48 kHz: 120 to 5760. What is no valid packet stands for one slot. */
export function opusPacketTicks(bytes: Uint8Array, lengthBytes: number): number {
  return readOpusPacket(bytes, 0, lengthBytes, parts) === null ? ticksOf(parts) : SLOT_RTP_TICKS;
}
