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
export type { Playback, PlayResult } from "./playback.ts";
export {
  createPromptCache,
  type PromptCache,
  type PromptCacheOptions,
  type PromptCacheStats,
} from "./prompt-cache.ts";
export { createMediaWorkerPool, type MediaWorkerPoolOptions } from "./worker/media-worker-pool.ts";
