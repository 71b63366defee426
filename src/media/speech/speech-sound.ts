import { detectAudioFormat, FORMAT_PROBE_BYTES } from "../../core/audio/audio-format.ts";
import { speechError } from "./speech-error.ts";

/** A WAV file of a header alone. */
const WAV_HEADER_BYTES = 44;

/**
 * Gives the bytes back when they begin as a file that can be played.
 *
 * @throws {RingbackError} `SPEECH_FAILED`.
 */
export function requireSound(speech: string, bytes: Uint8Array): Uint8Array {
  const format = detectAudioFormat(bytes.subarray(0, FORMAT_PROBE_BYTES));
  const isHeaderAlone = format === "wav" && bytes.length <= WAV_HEADER_BYTES;
  if (format !== null && !isHeaderAlone) return bytes;
  if (bytes.length === 0 || isHeaderAlone) throw speechError(speech, "not-audio", "no sound came of it");
  // Raw samples are the usual mistake: piper's --output_raw, or response_format pcm.
  throw speechError(speech, "not-audio", "what came is no WAV, MP3, FLAC or Ogg Opus file; have it give WAV");
}
