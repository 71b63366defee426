/** Sound as 16-bit samples; channels interleaved. */
export interface WavAudio {
  readonly sampleRateHz: number;
  readonly channelCount: number;
  readonly samples: Int16Array;
}

/** Why bytes are no WAV file that can be read here. */
export type WavFault = "not-wav" | "truncated-header" | "unsupported-encoding";

const HEADER_BYTES = 44;
/** WAVE_FORMAT_PCM and WAVE_FORMAT_EXTENSIBLE. */
const FORMAT_PCM = 1;
const FORMAT_EXTENSIBLE = 0xfffe;

/**
 * Reads a WAV file of 16-bit PCM. A data chunk that claims more than there is, as of a recording that was cut off, is read
 * as far as it goes.
 */
export function parseWav(bytes: Uint8Array): WavAudio | WavFault {
  if (textAt(bytes, 0) !== "RIFF" || textAt(bytes, 8) !== "WAVE") return "not-wav";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let format: { readonly sampleRateHz: number; readonly channelCount: number } | null = null;
  let offset = 12;
  while (offset + 8 <= bytes.length) {
    const size = view.getUint32(offset + 4, true);
    const body = offset + 8;
    switch (textAt(bytes, offset)) {
      case "fmt ": {
        if (size < 16 || body + 16 > bytes.length) return "truncated-header";
        if (!isPcm16(view, body, size)) return "unsupported-encoding";
        format = {
          channelCount: view.getUint16(body + 2, true),
          sampleRateHz: view.getUint32(body + 4, true),
        };
        break;
      }
      case "data":
        return format === null ? "truncated-header" : { ...format, samples: readSamples(view, body, size) };
      default:
    }
    // Chunks begin at even offsets.
    offset = body + size + (size & 1);
  }
  return "truncated-header";
}

/** Writes a WAV file of 16-bit PCM. */
export function serializeWav({ sampleRateHz, channelCount, samples }: WavAudio): Uint8Array {
  const dataBytes = samples.length * 2;
  const bytes = new Uint8Array(HEADER_BYTES + dataBytes);
  const view = new DataView(bytes.buffer);
  writeText(bytes, 0, "RIFF");
  view.setUint32(4, bytes.length - 8, true);
  writeText(bytes, 8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, FORMAT_PCM, true);
  view.setUint16(22, channelCount, true);
  view.setUint32(24, sampleRateHz, true);
  view.setUint32(28, sampleRateHz * channelCount * 2, true);
  view.setUint16(32, channelCount * 2, true);
  view.setUint16(34, 16, true);
  writeText(bytes, 36, "data");
  view.setUint32(40, dataBytes, true);
  samples.forEach((sample, index) => {
    view.setInt16(HEADER_BYTES + index * 2, sample, true);
  });
  return bytes;
}

function isPcm16(view: DataView, body: number, size: number): boolean {
  const tag = view.getUint16(body, true);
  const bits = view.getUint16(body + 14, true);
  if (tag === FORMAT_PCM) return bits === 16 && view.getUint16(body + 2, true) > 0;
  // The real format is in the first two bytes of the SubFormat GUID.
  if (tag !== FORMAT_EXTENSIBLE || size < 40 || body + 26 > view.byteLength) return false;
  return bits === 16 && view.getUint16(body + 24, true) === FORMAT_PCM && view.getUint16(body + 2, true) > 0;
}

function readSamples(view: DataView, body: number, size: number): Int16Array {
  const available = Math.min(size, view.byteLength - body);
  const samples = new Int16Array(available >> 1);
  for (let i = 0; i < samples.length; i += 1) samples[i] = view.getInt16(body + i * 2, true);
  return samples;
}

function textAt(bytes: Uint8Array, offset: number): string {
  return String.fromCharCode(...bytes.subarray(offset, offset + 4));
}

function writeText(bytes: Uint8Array, offset: number, text: string): void {
  for (let i = 0; i < text.length; i += 1) bytes[offset + i] = text.charCodeAt(i);
}
