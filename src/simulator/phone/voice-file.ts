import { readFile, stat } from "node:fs/promises";
import decode from "audio-decode";
import { RingbackError } from "../../errors.ts";
import type { VoicePcm } from "./speech-encoder.ts";

const MAX_FILE_BYTES = 64 * 1024 * 1024;
const MAX_AUDIO_S = 600;

type Reason = "missing" | "unreadable" | "empty" | "too-large" | "too-long" | "not-audio";

/**
 * Changes when the file does.
 * @throws {RingbackError} `MEDIA_FILE_UNUSABLE` when there is no such file or it is larger than 64 MiB.
 */
export async function voiceFileVersion(path: string): Promise<string> {
  const { size, mtimeMs } = await stat(path).catch((error: unknown) => {
    throw unusable(path, "missing", "is not there", error);
  });
  if (size > MAX_FILE_BYTES) throw unusable(path, "too-large", "is larger than 64 MiB");
  return `${size} ${mtimeMs}`;
}

/**
 * Decodes a file of any format that audio-decode knows and mixes it to mono.
 * @throws {RingbackError} `MEDIA_FILE_UNUSABLE`.
 */
export async function decodeVoiceFile(path: string): Promise<VoicePcm> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw unusable(path, "unreadable", "cannot be read", error);
  });
  const audio = await decode(new Uint8Array(bytes)).catch((error: unknown) => {
    throw unusable(
      path,
      "not-audio",
      "is no audio that can be decoded; WAV, MP3, Ogg/Opus and FLAC can",
      error,
    );
  });
  const length = audio.channelData[0]?.length ?? 0;
  if (length === 0) throw unusable(path, "empty", "has no audio in it");
  if (length > audio.sampleRate * MAX_AUDIO_S) throw unusable(path, "too-long", "is longer than 10 minutes");
  return { samples: mixToMono(audio.channelData, length), sampleRateHz: audio.sampleRate };
}

function mixToMono(channels: readonly Float32Array[], length: number): Float32Array {
  const mono = new Float32Array(length);
  for (const channel of channels) {
    for (let i = 0; i < length; i += 1) mono[i] = (mono[i] ?? 0) + (channel[i] ?? 0) / channels.length;
  }
  return mono;
}

function unusable(path: string, reason: Reason, what: string, cause?: unknown): RingbackError {
  return new RingbackError("MEDIA_FILE_UNUSABLE", `the phone's voice ${path} ${what}`, {
    details: { path, reason },
    cause,
  });
}
