export type { Digit } from "../core/transport/rtp/telephone-event.ts";
export type { DigitOptions } from "../core/transport/rtp/telephone-event-sender.ts";
export { type EncodedPrompt, packPrompt } from "./encoded-prompt.ts";
export type {
  MediaDownReason,
  MediaEngine,
  MediaLeg,
  MediaLegListener,
  MediaLegState,
  MediaLegStats,
} from "./engine.ts";
export { LocalMediaHost, type LocalMediaHostOptions } from "./local-media-host.ts";
export type { HostedSession, MediaHost, MediaStatus, MediaWorkerStatus } from "./media-host.ts";
export {
  MediaSession,
  type MediaSessionListener,
  type MediaSessionOptions,
  type MediaStats,
  type SendDigitsOutcome,
} from "./media-session.ts";
export { OpusEncoder, type OpusRateHz } from "./opus-codec.ts";
export type { MarkOutcome } from "./pcm-playback.ts";
export type { Interruption, Playback, PlaybackOptions, PlayResult } from "./playback.ts";
export {
  createPromptCache,
  type PromptCache,
  type PromptCacheOptions,
  type PromptCacheStats,
  type PromptOptions,
} from "./prompt-cache.ts";
export { recordingFiles } from "./recording/call-recorder.ts";
export { finishRecording } from "./recording/finish-recording.ts";
export type { MediaRecording, Ongoing, OngoingEnd, PcmWriter } from "./session-audio.ts";
export { createPacketRingMemory } from "./shared-packet-ring.ts";
export { bytesSound, fileSound, type Sound, silenceSound, toneSound } from "./sound.ts";
export type { TextToSpeech } from "./speech/text-to-speech.ts";
export { WorkSlices } from "./work-slices.ts";
export { createMediaWorkerPool, type MediaWorkerPoolOptions } from "./worker/media-worker-pool.ts";
