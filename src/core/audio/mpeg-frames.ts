/** ISO 11172-3 §2.4.2.3 and ISO 13818-3 §2.4.2.3: bit rates of layer III, in kbit/s, by index. */
const MPEG1_KBPS = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const MPEG2_KBPS = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
const MPEG1_RATES_HZ = [44_100, 48_000, 32_000];

const HEADER_BYTES = 4;
/** Headers in a row that are taken for a stream: two or even one occur by chance in a picture of some MB. */
const SYNC_FRAMES = 3;

/** ISO 11172-3 §2.4.1.3: length of the layer III frame whose header lies at `offset`; null when none does. */
export function mpegFrameBytes(bytes: Uint8Array, offset: number): number | null {
  const second = bytes[offset + 1] ?? 0;
  const third = bytes[offset + 2] ?? 0;
  if (bytes[offset] !== 0xff || (second & 0xe0) !== 0xe0) return null;
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

/**
 * Cuts an MP3 file into its frames and leaves out what is none: tags, pictures, damage. A decoder that is given those
 * makes noise of them.
 */
export class MpegFrames {
  /** What no frame has been made of yet: less than `SYNC_FRAMES` frames. */
  #rest: Uint8Array = new Uint8Array();
  /** Version, layer and sample rate of the stream that is being followed; null while one is looked for. */
  #stream: number | null = null;

  /** Takes the file's next bytes. @returns The frames that they complete, side by side. */
  push(bytes: Uint8Array): Uint8Array {
    return this.#cut(joined(this.#rest, bytes), false);
  }

  /** The end of the file. @returns The last frames. */
  end(): Uint8Array {
    return this.#cut(this.#rest, true);
  }

  #cut(bytes: Uint8Array, isEnd: boolean): Uint8Array {
    const frames = new Uint8Array(bytes.length);
    let usedBytes = 0;
    let offset = 0;
    while (offset + HEADER_BYTES <= bytes.length) {
      const frameBytes = this.#frameAt(bytes, offset, isEnd);
      if (frameBytes === "unknown") break;
      if (frameBytes === null) {
        offset += 1;
        continue;
      }
      frames.set(bytes.subarray(offset, offset + frameBytes), usedBytes);
      usedBytes += frameBytes;
      offset += frameBytes;
    }
    this.#rest = bytes.slice(offset);
    return frames.subarray(0, usedBytes);
  }

  /** Length of the frame that begins here, null when none does; `unknown` until more bytes are there. */
  #frameAt(bytes: Uint8Array, offset: number, isEnd: boolean): number | null | "unknown" {
    const frameBytes = mpegFrameBytes(bytes, offset);
    if (frameBytes === null || (this.#stream !== null && streamAt(bytes, offset) !== this.#stream)) {
      this.#stream = null;
    }
    if (frameBytes === null) return null;
    if (this.#stream === null) {
      const begins = isStreamAt(bytes, offset, isEnd);
      if (begins === "unknown") return "unknown";
      if (!begins) return null;
      this.#stream = streamAt(bytes, offset);
    }
    if (offset + frameBytes <= bytes.length) return frameBytes;
    // A last frame that was cut off is left out.
    return isEnd ? null : "unknown";
  }
}

/** Whether `SYNC_FRAMES` headers of one stream follow one another from `offset` on, or fewer up to the very end. */
function isStreamAt(bytes: Uint8Array, offset: number, isEnd: boolean): boolean | "unknown" {
  const stream = streamAt(bytes, offset);
  let next = offset;
  for (let frame = 0; frame < SYNC_FRAMES; frame += 1) {
    if (next + HEADER_BYTES > bytes.length) return isEnd ? next === bytes.length : "unknown";
    const frameBytes = mpegFrameBytes(bytes, next);
    if (frameBytes === null || streamAt(bytes, next) !== stream) return false;
    next += frameBytes;
  }
  return true;
}

/** The bits of a header that are the same in all frames of a stream; bit rate, padding and channels may change. */
function streamAt(bytes: Uint8Array, offset: number): number {
  return (((bytes[offset + 1] ?? 0) & 0x1e) << 8) | ((bytes[offset + 2] ?? 0) & 0x0c);
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}
