export type { Digit } from "../core/transport/rtp/telephone-event.ts";
export { createDatachannelEngine, type DatachannelEngineOptions } from "./datachannel-engine.ts";
export { type EncodedPrompt, packPrompt } from "./encoded-prompt.ts";
export type { MediaEngine, MediaLeg, MediaLegListener, MediaLegState, MediaLegStats } from "./engine.ts";
export { MediaClock, type MediaClockOptions, type MediaClockStats, type Ticker } from "./media-clock.ts";
export {
  MediaSession,
  type MediaSessionListener,
  type MediaSessionOptions,
  type MediaStats,
} from "./media-session.ts";
export type { Playback, PlayResult } from "./playback.ts";
export {
  createPromptCache,
  type PromptCache,
  type PromptCacheOptions,
  type PromptCacheStats,
} from "./prompt-cache.ts";
