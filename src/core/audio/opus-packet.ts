/** RFC 6716 §2.1.1–2.1.9 and §3.1: which of its layers the codec uses. */
export type OpusMode = "silk" | "hybrid" | "celt";

/** Why bytes are no Opus packet (RFC 6716 §3.4). */
export type OpusFault = "empty" | "truncated" | "uneven" | "frame-too-large" | "frame-count";

/** RFC 7587 §4.1: the clock of RTP timestamps and of Ogg granule positions, whatever the audio's rate. */
export const OPUS_TICKS_PER_MS = 48;

/** RFC 6716 §3.2.5: 120 ms of frames of 2.5 ms. */
export const MAX_OPUS_FRAMES = 48;
/** RFC 6716 §3.4 R2. */
export const MAX_OPUS_FRAME_BYTES = 1275;
/** RFC 6716 §3.4 R5: 120 ms. */
const MAX_PACKET_TICKS = 120 * OPUS_TICKS_PER_MS;
const SILK_FRAME_TICKS = [480, 960, 1920, 2880];

/** A packet taken apart: one byte that tells how to decode (TOC), and its frames. Reused from packet to packet. */
export interface OpusPacket {
  /** RFC 6716 §3.1. Its lower two bits tell how the frames were packed and mean nothing here. */
  toc: number;
  frameCount: number;
  /** Duration of each frame. */
  frameTicks: number;
  /** Where each frame begins, in the bytes that the packet was read from. */
  readonly frameOffsets: Uint32Array;
  /** Length of each frame; one without bytes was not sent, and decoders conceal it (§3.2.1). */
  readonly frameLengths: Uint16Array;
}

/** @param maxFrames Of those that `readOpusPacket` fills, the default: as many as a packet can have. */
export function createOpusPacket(maxFrames: number = MAX_OPUS_FRAMES): OpusPacket {
  return {
    toc: 0,
    frameCount: 0,
    frameTicks: 0,
    frameOffsets: new Uint32Array(maxFrames),
    frameLengths: new Uint16Array(maxFrames),
  };
}

/** Duration of the packet at 48 kHz. */
export function opusPacketTicks(packet: OpusPacket): number {
  return packet.frameCount * packet.frameTicks;
}

/** RFC 6716 §3.1, table 2: duration of one frame at 48 kHz. */
export function opusFrameTicks(toc: number): number {
  const config = toc >> 3;
  if (config < 12) return SILK_FRAME_TICKS[config & 3] ?? 0;
  if (config < 16) return 480 << (config & 1);
  return 120 << (config & 3);
}

/** RFC 6716 §3.1, table 2. */
export function opusMode(toc: number): OpusMode {
  const config = toc >> 3;
  if (config < 12) return "silk";
  return config < 16 ? "hybrid" : "celt";
}

/** RFC 6716 §3.1: the packet holds two channels. */
export function isOpusStereo(toc: number): boolean {
  return (toc & 4) !== 0;
}

/** RFC 6716 §3.1: the TOC of a 20 ms packet with one frame in the mode and the bandwidth of another packet, mono. */
export function monoToc20Ms(toc: number): number {
  const mode = opusMode(toc);
  const config = toc >> 3;
  if (mode === "silk") return ((config & ~3) | 1) << 3;
  return (config | (mode === "hybrid" ? 1 : 3)) << 3;
}

const NO_BYTES = new Uint8Array();
const QUIET_SILK_FRAME = Uint8Array.of(0x0f);

/**
 * The frame that stands for one that was lost: decoders conceal it (RFC 7845 §4.1).
 *
 * RFC 6716 §3.2.1 has a frame without bytes for that. The reference decoder, which nearly all programs use, conceals frames of one
 * byte as well. FFmpeg's own decoder conceals nothing and takes the missing bytes of SILK for zeros, which is noise at full scale;
 * this byte it takes for the beginning of a quiet frame without voice. Without bytes CELT is silent there.
 */
export function concealingFrame(toc: number): Uint8Array {
  return opusMode(toc) === "celt" ? NO_BYTES : QUIET_SILK_FRAME;
}

/**
 * Takes a packet apart, without a copy.
 *
 * @returns null when it is well formed, otherwise the fault; `packet` is then not to be used.
 */
export function readOpusPacket(
  bytes: Uint8Array,
  offset: number,
  lengthBytes: number,
  packet: OpusPacket,
): OpusFault | null {
  const end = read(bytes, offset, Math.min(offset + lengthBytes, bytes.length), packet, false);
  return typeof end === "number" ? null : end;
}

/**
 * Takes a packet apart that tells its own length, as all but the last in a packet of several streams do
 * (RFC 6716 appendix B, RFC 7845 §3).
 *
 * @param endOffset Where the bytes end that it may lie in.
 * @returns Where the packet ends, or the fault; `packet` is then not to be used.
 */
export function readSelfDelimitedOpusPacket(
  bytes: Uint8Array,
  offset: number,
  endOffset: number,
  packet: OpusPacket,
): number | OpusFault {
  return read(bytes, offset, Math.min(endOffset, bytes.length), packet, true);
}

function read(
  bytes: Uint8Array,
  offset: number,
  end: number,
  packet: OpusPacket,
  isSelfDelimited: boolean,
): number | OpusFault {
  if (offset >= end) return "empty";
  const toc = bytes[offset] ?? 0;
  const packing = toc & 3;
  packet.toc = toc;
  packet.frameTicks = opusFrameTicks(toc);
  packet.frameCount = packing === 0 ? 1 : 2;
  let position = offset + 1;
  let hasLengths = packing === 2;
  let paddingBytes = 0;
  if (packing === 3) {
    // RFC 6716 §3.2.5: |v|p|     M     |, then the length of the padding.
    const layout = bytes[position] ?? 0;
    if (position >= end) return "truncated";
    position += 1;
    packet.frameCount = layout & 0x3f;
    hasLengths = (layout & 0x80) !== 0;
    if (packet.frameCount === 0 || opusPacketTicks(packet) > MAX_PACKET_TICKS) return "frame-count";
    if ((layout & 0x40) !== 0) {
      let byte = 255;
      for (; byte === 255; position += 1) {
        if (position >= end) return "truncated";
        byte = bytes[position] ?? 0;
        paddingBytes += byte === 255 ? 254 : byte;
      }
    }
  }
  const framesEnd = end - paddingBytes;
  const begin = readLengths(bytes, position, framesEnd, packet, hasLengths, isSelfDelimited);
  if (typeof begin !== "number") return begin;
  return layFrames(begin, framesEnd, packet, paddingBytes);
}

/** Fills in the lengths of all frames. @returns Where the first frame begins. */
function readLengths(
  bytes: Uint8Array,
  offset: number,
  end: number,
  packet: OpusPacket,
  hasLengths: boolean,
  isSelfDelimited: boolean,
): number | OpusFault {
  const { frameCount, frameLengths } = packet;
  let position = offset;
  let total = 0;
  // RFC 6716 §3.2.4 and §3.2.5: all but the last have theirs written down; appendix B: the last one, too.
  const written = (hasLengths ? frameCount - 1 : 0) + (isSelfDelimited ? 1 : 0);
  for (let i = 0; i < written; i += 1) {
    const first = bytes[position] ?? 0;
    const second = bytes[position + 1] ?? 0;
    // RFC 6716 §3.2.1.
    const length = first < 252 ? first : second * 4 + first;
    position += first < 252 ? 1 : 2;
    if (position > end) return "truncated";
    frameLengths[hasLengths ? i : frameCount - 1] = length;
    total += length;
  }
  const rest = end - position - (isSelfDelimited && !hasLengths ? 0 : total);
  if (rest < 0) return "truncated";
  if (!isSelfDelimited && hasLengths) frameLengths[frameCount - 1] = Math.min(rest, 0xffff);
  if (hasLengths) return position;
  const each = isSelfDelimited ? total : rest / frameCount;
  if (!Number.isInteger(each)) return "uneven";
  frameLengths.fill(Math.min(each, 0xffff), 0, frameCount);
  return position;
}

/** Lays the frames one after the other. @returns Where the packet ends. */
function layFrames(begin: number, end: number, packet: OpusPacket, paddingBytes: number): number | OpusFault {
  let position = begin;
  for (let i = 0; i < packet.frameCount; i += 1) {
    const length = packet.frameLengths[i] ?? 0;
    if (length > MAX_OPUS_FRAME_BYTES) return "frame-too-large";
    packet.frameOffsets[i] = position;
    position += length;
  }
  return position > end ? "truncated" : position + paddingBytes;
}
