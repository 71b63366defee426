/** RFC 7845 §5.1: what the first packet of an Ogg Opus file says. */
export interface OpusHead {
  readonly channelCount: number;
  /** Samples at 48 kHz that are decoded and not played, at the beginning. */
  readonly preSkipTicks: number;
  /** Opus streams in each packet: all but the last are self-delimited. */
  readonly streamCount: number;
}

/** RFC 7845 §5.1, with one of two channel mappings: one channel, or two that are a mono stream each. */
export function writeOpusHead(channelCount: 1 | 2, preSkipTicks: number): Uint8Array {
  const bytes = new Uint8Array(channelCount === 1 ? 19 : 23);
  const view = new DataView(bytes.buffer);
  writeText(bytes, 0, "OpusHead");
  bytes[8] = 1;
  bytes[9] = channelCount;
  view.setUint16(10, preSkipTicks, true);
  // Of the input, for information. Then a gain of 0.
  view.setUint32(12, 48_000, true);
  if (channelCount === 2) {
    // §5.1.1.2: family 1; two streams, none of them coupled; left is the first, right the second.
    bytes.set([1, 2, 0, 0, 1], 18);
  }
  return bytes;
}

/** @returns null when the packet is none, or one of a version or a mapping that cannot be read here. */
export function readOpusHead(bytes: Uint8Array): OpusHead | null {
  if (bytes.length < 19 || !hasText(bytes, 0, "OpusHead")) return null;
  const channelCount = bytes[9] ?? 0;
  // §5.1: the upper four bits are the major version.
  if ((bytes[8] ?? 0) >> 4 !== 0 || channelCount === 0) return null;
  const preSkipTicks = (bytes[10] ?? 0) | ((bytes[11] ?? 0) << 8);
  if (bytes[18] === 0) return channelCount > 2 ? null : { channelCount, preSkipTicks, streamCount: 1 };
  const streamCount = bytes[19] ?? 0;
  if (bytes.length < 21 + channelCount || streamCount === 0) return null;
  return { channelCount, preSkipTicks, streamCount };
}

/** RFC 7845 §5.2, without comments. */
export function writeOpusTags(vendor: string): Uint8Array {
  const bytes = new Uint8Array(16 + vendor.length);
  writeText(bytes, 0, "OpusTags");
  new DataView(bytes.buffer).setUint32(8, vendor.length, true);
  writeText(bytes, 12, vendor);
  return bytes;
}

function writeText(bytes: Uint8Array, offset: number, text: string): void {
  for (let i = 0; i < text.length; i += 1) bytes[offset + i] = text.charCodeAt(i);
}

function hasText(bytes: Uint8Array, offset: number, text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    if (bytes[offset + i] !== text.charCodeAt(i)) return false;
  }
  return true;
}
