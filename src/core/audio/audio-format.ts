import { mpegFrameBytes } from "./mpeg-frames.ts";

/** The file formats that can be played. */
export type AudioFormat = "wav" | "mp3" | "flac" | "ogg-opus";

/** Enough of a file's beginning to tell its format by: the longest MPEG frame and the next one's header. */
export const FORMAT_PROBE_BYTES = 2_048;

/** Tells a file's format by its first bytes, whatever its name says; null when it is none that can be played. */
export function detectAudioFormat(head: Uint8Array): AudioFormat | null {
  if (hasText(head, 0, "RIFF") && hasText(head, 8, "WAVE")) return "wav";
  if (hasText(head, 0, "fLaC")) return "flac";
  // RFC 7845 §3: the first page holds the ID header and nothing else; its payload follows 27 bytes and one segment length.
  if (hasText(head, 0, "OggS")) return hasText(head, 28, "OpusHead") ? "ogg-opus" : null;
  if (hasText(head, 0, "ID3") || isMpegStream(head)) return "mp3";
  return null;
}

/** Two frames in a row: a single header's bits occur in files of every kind. */
function isMpegStream(head: Uint8Array): boolean {
  const frameBytes = mpegFrameBytes(head, 0);
  if (frameBytes === null) return false;
  return head.length < frameBytes + 4 || mpegFrameBytes(head, frameBytes) !== null;
}

function hasText(bytes: Uint8Array, offset: number, text: string): boolean {
  if (bytes.length < offset + text.length) return false;
  for (let i = 0; i < text.length; i += 1) {
    if (bytes[offset + i] !== text.charCodeAt(i)) return false;
  }
  return true;
}
