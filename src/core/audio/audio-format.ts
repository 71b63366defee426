/** The file formats that can be played. */
export type AudioFormat = "wav" | "mp3" | "flac" | "ogg-opus";

/** Enough of a file's beginning to tell its format by: the longest MPEG frame and the next one's header. */
export const FORMAT_PROBE_BYTES = 2_048;

/** ISO 11172-3 §2.4.2.3 and ISO 13818-3 §2.4.2.3: bit rates of layer III, in kbit/s, by index. */
const MPEG1_KBPS = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const MPEG2_KBPS = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
const MPEG1_RATES_HZ = [44_100, 48_000, 32_000];

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
  const frameBytes = mpegFrameBytes(head);
  if (frameBytes === null) return false;
  return head.length < frameBytes + 4 || mpegFrameBytes(head.subarray(frameBytes)) !== null;
}

/** ISO 11172-3 §2.4.1.3: length of the layer III frame that begins here, null when none does. */
function mpegFrameBytes(head: Uint8Array): number | null {
  const [first = 0, second = 0, third = 0] = head;
  if (first !== 0xff || (second & 0xe0) !== 0xe0) return null;
  // 3 is MPEG 1, 2 is MPEG 2, 0 is MPEG 2.5; layer 1 is layer III.
  const version = (second >> 3) & 3;
  const layer = (second >> 1) & 3;
  const kbps = (version === 3 ? MPEG1_KBPS : MPEG2_KBPS)[third >> 4];
  const mpeg1RateHz = MPEG1_RATES_HZ[(third >> 2) & 3];
  if (version === 1 || layer !== 1 || !kbps || mpeg1RateHz === undefined) return null;
  const rateHz = version === 3 ? mpeg1RateHz : mpeg1RateHz / (version === 2 ? 2 : 4);
  const samples = version === 3 ? 1152 : 576;
  return Math.floor((samples * kbps * 125) / rateHz) + ((third >> 1) & 1);
}

function hasText(bytes: Uint8Array, offset: number, text: string): boolean {
  if (bytes.length < offset + text.length) return false;
  for (let i = 0; i < text.length; i += 1) {
    if (bytes[offset + i] !== text.charCodeAt(i)) return false;
  }
  return true;
}
