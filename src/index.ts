/**
 * Ringback: answer WhatsApp Business calls from TypeScript.
 *
 * @packageDocumentation
 */

// The gateway.

export type { CallHandler } from "./gateway/call.ts";
export type { RegistryCounters } from "./gateway/call-registry.ts";
export {
  createGateway,
  type Gateway,
  type GatewayState,
  type GatewayStatus,
  type Listening,
  type ListenOptions,
} from "./gateway/gateway.ts";
export type { EndedCall, GatewayObserver } from "./gateway/observer.ts";
export type { GatewayOptions, GatewayStoreOptions, MediaOptions, PhoneNumber } from "./gateway/options.ts";
export type { ApiListenOptions } from "./gateway/services.ts";
export type { MediaStatus, MediaWorkerStatus } from "./media/index.ts";

// Calls.

export type { EndExplanation } from "./core/call/explain-end.ts";
export type { CallPhase, EndReason, IncomingCallOptions, MediaDownReason } from "./core/call/types.ts";
export type { RemoteReception } from "./core/transport/rtp/peer-reports.ts";
export type { RtcpStats } from "./core/transport/rtp/rtcp-session.ts";
export type { RtpReceiverStats } from "./core/transport/rtp/rtp-receiver.ts";
export type { TelephoneEventStats } from "./core/transport/rtp/telephone-event.ts";
export type { Call, CallEnd, CallEvents, CallTags, RemoteError } from "./gateway/call.ts";
export type { TimelineEntry, TimelineStep } from "./gateway/timeline.ts";
export type { Digit, DigitOptions, MediaStats, SendDigitsOutcome } from "./media/index.ts";
export type { CallerIdentity } from "./whatsapp/call-event.ts";

// What can be done on a call.

export type {
  AudioOptions,
  AudioSink,
  AudioStream,
  Bridge,
  BridgeOptions,
  BridgeResult,
  ConsentMode,
  DetectSpeechOptions,
  GatherOptions,
  GatherResult,
  HoldOptions,
  Interruption,
  OpusRateHz,
  PcmSource,
  Playing,
  PlayOptions,
  PlayResult,
  PlaySource,
  RecordedFile,
  Recording,
  RecordingConsent,
  RecordingResult,
  RecordOptions,
  SayOptions,
  SayVoice,
  SendDigitsOptions,
  SpeechEvent,
  SpeechEvents,
  StartRecordingOptions,
  ToneSpec,
} from "./gateway/verbs/types.ts";

// Who speaks, and what may be requested.

export { type CommandSpeechOptions, createCommandSpeech } from "./media/speech/command-speech.ts";
export { createHttpSpeech, type HttpSpeechOptions } from "./media/speech/http-speech.ts";
export {
  type CachedSpeech,
  createCachedSpeech,
  type SpeechCacheOptions,
  type SpeechCacheStats,
} from "./media/speech/speech-cache.ts";
export type { SpeechRequest, TextToSpeech } from "./media/speech/text-to-speech.ts";
export type { RequestOptions } from "./platform/outgoing-request.ts";

// Call flows.

export { FlowBuilder, type FlowBuilderTarget, flow } from "./core/flow/builder.ts";
export { checkFlow, checkFlowText, type FlowCheck, type FlowProblem } from "./core/flow/check-flow.ts";
export type { FlowEndReason, FlowRecording, FlowStepRecord } from "./core/flow/interpreter-types.ts";
export type { FlowOutcome } from "./core/flow/outcomes.ts";
export type {
  FlowCondition,
  FlowDocument,
  FlowHours,
  FlowSource,
  FlowStep,
  FlowTagValue,
  FlowTarget,
  FlowVerb,
} from "./core/flow/types.ts";
export type { FlowCall, FlowEvent, FlowOptions, FlowResult, FlowSpec } from "./gateway/flow/flow-options.ts";
export { runFlow } from "./gateway/flow/run-flow.ts";

// Events, as they are delivered.

export {
  verifyWebhook as verifyDelivery,
  type WebhookFault as DeliveryFault,
} from "./core/delivery/webhook-signature.ts";
export { EVENT_TYPES, type EventEnvelope, type EventType } from "./core/events/event-types.ts";
export type { RetentionPolicy } from "./store/types.ts";

// Errors and logs.

export {
  type ConfigProblem,
  type ErrorCode,
  type ErrorDetails,
  isRingbackError,
  RingbackError,
  type RingbackErrorOptions,
} from "./errors.ts";
export { type Logger, silentLogger } from "./logger.ts";

// For those who bring their own media.

export type { AudioDescription, DtlsSetup, Fingerprint, IceCandidate, LocalAudio } from "./core/sdp/index.ts";
export type {
  MediaEngine,
  MediaLeg,
  MediaLegListener,
  MediaLegState,
  MediaLegStats,
} from "./media/index.ts";

// For those who build their own call control on the parts.

export type {
  CallEvent,
  ConnectEvent,
  StatusEvent,
  TerminateEvent,
  UnknownCallEvent,
  WebhookError,
} from "./whatsapp/call-event.ts";
export {
  type AcceptRequest,
  type Callee,
  type CallRequest,
  type ConnectRequest,
  createGraphClient,
  type EndResult,
  type GraphAttempt,
  type GraphClient,
  type GraphClientOptions,
  type GraphRetryOptions,
  type PreAcceptRequest,
} from "./whatsapp/graph-client.ts";
export { verifySubscription, verifyWebhookSignature } from "./whatsapp/signature.ts";
export { callEventKey, type ParsedWebhook, parseWebhook } from "./whatsapp/webhook.ts";
