import { RtpPacketBuffer } from "../../core/transport/rtp/rtp.ts";

// One for all calls of a thread: a decoder copies a packet before the next one comes.
const buffer = new RtpPacketBuffer();

/** A view of a copy, valid until the next call: a view of the packet itself would be an object more for each. */
export function copyPayload(packet: Uint8Array, offset: number, lengthBytes: number): Uint8Array {
  const { bytes } = buffer;
  const fitting = Math.min(lengthBytes, bytes.length);
  for (let i = 0; i < fitting; i += 1) bytes[i] = packet[offset + i] ?? 0;
  return buffer.view(fitting);
}
