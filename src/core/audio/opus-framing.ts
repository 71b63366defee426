import type { OpusPacket } from "./opus-packet.ts";

/**
 * Writes frames as one packet, without padding.
 *
 * @param frames Taken from `bytes`. A packet has 1 to 48 frames, 120 ms at most.
 * @param out Has room: three bytes, two for each frame, and the frames.
 * @param isSelfDelimited With its own length, as all but the last in a packet of several streams (RFC 6716 appendix B).
 * @returns Where the packet ends in `out`.
 */
export function writeOpusPacket(
  frames: OpusPacket,
  bytes: Uint8Array,
  out: Uint8Array,
  outOffset: number,
  isSelfDelimited: boolean,
): number {
  const { frameCount, frameOffsets, frameLengths } = frames;
  const packing = packingOf(frames);
  let position = outOffset;
  out[position++] = (frames.toc & 0xfc) | packing;
  // RFC 6716 §3.2.5: lengths are written down (v), no padding.
  if (packing === 3) out[position++] = 0x80 | frameCount;
  const firstWritten = packing === 2 || packing === 3 ? 0 : frameCount - 1;
  const endWritten = isSelfDelimited ? frameCount : frameCount - 1;
  for (let i = firstWritten; i < endWritten; i += 1) {
    position = writeLength(out, position, frameLengths[i] ?? 0);
  }
  for (let i = 0; i < frameCount; i += 1) {
    const offset = frameOffsets[i] ?? 0;
    const length = frameLengths[i] ?? 0;
    // `set` would need a view of the frame, an object per packet.
    for (let j = 0; j < length; j += 1) out[position + j] = bytes[offset + j] ?? 0;
    position += length;
  }
  return position;
}

/** RFC 6716 §3.2: 0 one frame, 1 two of the same length, 2 two, 3 any number. */
function packingOf({ frameCount, frameLengths }: OpusPacket): number {
  if (frameCount === 1) return 0;
  if (frameCount > 2) return 3;
  return frameLengths[0] === frameLengths[1] ? 1 : 2;
}

/** RFC 6716 §3.2.1. */
function writeLength(out: Uint8Array, offset: number, length: number): number {
  if (length < 252) {
    out[offset] = length;
    return offset + 1;
  }
  const first = 252 + (length & 3);
  out[offset] = first;
  out[offset + 1] = (length - first) >> 2;
  return offset + 2;
}
