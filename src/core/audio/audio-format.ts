/** The file formats that can be played. */
export type AudioFormat = "wav" | "mp3" | "flac" | "ogg-opus";

/** Enough of a file's beginning to tell its format by. */
export const FORMAT_PROBE_BYTES = 64;

/** Tells a file's format by its first bytes, whatever its name says; null when it is none that can be played. */
export function detectAudioFormat(head: Uint8Array): AudioFormat | null {
  if (hasText(head, 0, "RIFF") && hasText(head, 8, "WAVE")) return "wav";
  if (hasText(head, 0, "fLaC")) return "flac";
  // RFC 7845 §3: the first page holds the ID header and nothing else; its payload follows 27 bytes and one segment length.
  if (hasText(head, 0, "OggS")) return hasText(head, 28, "OpusHead") ? "ogg-opus" : null;
  if (hasText(head, 0, "ID3") || isMpegFrame(head)) return "mp3";
  return null;
}

/** ISO 11172-3 §2.4.1.3: eleven sync bits, layer III, and a bit rate and sampling rate that exist. */
function isMpegFrame(head: Uint8Array): boolean {
  const [first = 0, second = 0, third = 0] = head;
  if (first !== 0xff || (second & 0xe0) !== 0xe0) return false;
  const version = (second >> 3) & 3;
  const layer = (second >> 1) & 3;
  const bitrate = third >> 4;
  const samplingRate = (third >> 2) & 3;
  return version !== 1 && layer === 1 && bitrate !== 0 && bitrate !== 15 && samplingRate !== 3;
}

function hasText(bytes: Uint8Array, offset: number, text: string): boolean {
  if (bytes.length < offset + text.length) return false;
  for (let i = 0; i < text.length; i += 1) {
    if (bytes[offset + i] !== text.charCodeAt(i)) return false;
  }
  return true;
}
