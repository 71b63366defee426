import { writeOpusPacket } from "./opus-framing.ts";
import { createOpusPacket, readSelfDelimitedOpusPacket } from "./opus-packet.ts";

/** RFC 6716 §3.2.5: what self-delimiting adds to a packet is less. */
const FRAMING_BYTES = 128;

const opusPacket = createOpusPacket();

/**
 * The packets of all streams in one packet of an Ogg Opus file (RFC 7845 §3), each as a decoder takes it.
 *
 * @returns null when one of them is no Opus. The last one is a view of `bytes`.
 */
export function splitOpusStreams(bytes: Uint8Array, streamCount: number): readonly Uint8Array[] | null {
  const packets: Uint8Array[] = [];
  let offset = 0;
  while (packets.length < streamCount - 1) {
    const end = readSelfDelimitedOpusPacket(bytes, offset, bytes.length, opusPacket);
    if (typeof end !== "number") return null;
    const packet = new Uint8Array(end - offset + FRAMING_BYTES);
    packets.push(packet.subarray(0, writeOpusPacket(opusPacket, bytes, packet, 0, false)));
    offset = end;
  }
  packets.push(bytes.subarray(offset));
  return packets;
}
