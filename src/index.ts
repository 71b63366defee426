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
  type ListenOptions,
} from "./gateway/gateway.ts";
export type { GatewayOptions, MediaOptions, PhoneNumber } from "./gateway/options.ts";
export type { MediaStatus, MediaWorkerStatus } from "./media/index.ts";

// Calls.

export type { EndExplanation } from "./core/call/explain-end.ts";
export type { CallPhase, EndReason, IncomingCallOptions, MediaDownReason } from "./core/call/types.ts";
export type { RemoteReception } from "./core/transport/rtp/peer-reports.ts";
export type { RtcpStats } from "./core/transport/rtp/rtcp-session.ts";
export type { RtpReceiverStats } from "./core/transport/rtp/rtp-receiver.ts";
export type { TelephoneEventStats } from "./core/transport/rtp/telephone-event.ts";
export type { Call, CallEnd, CallEvents, PlayOptions, RemoteError } from "./gateway/call.ts";
export type { TimelineEntry, TimelineStep } from "./gateway/timeline.ts";
export type { Digit, DigitOptions, MediaStats, PlayResult, SendDigitsOutcome } from "./media/index.ts";
export type { CallerIdentity } from "./whatsapp/call-event.ts";

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
