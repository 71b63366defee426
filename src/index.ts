/**
 * Ringback: answer WhatsApp Business calls from TypeScript.
 *
 * @packageDocumentation
 */

export type { CallPhase, EndReason, IncomingCallOptions } from "./core/call/types.ts";
export type { ConfigProblem, ErrorCode, ErrorDetails } from "./errors.ts";
// Errors and logs.
export { isRingbackError, RingbackError } from "./errors.ts";
export type { Call, CallEnd, CallEvents, CallHandler, PlayOptions, RemoteError } from "./gateway/call.ts";
export type { GatewayState, GatewayStatus, ListenOptions } from "./gateway/gateway.ts";
// The gateway and its calls.
export { createGateway, Gateway } from "./gateway/gateway.ts";
export type { GatewayOptions, MediaOptions, PhoneNumber } from "./gateway/options.ts";
export type { TimelineEntry, TimelineStep } from "./gateway/timeline.ts";
export type { Logger } from "./logger.ts";
export { silentLogger } from "./logger.ts";
export type {
  MediaEngine,
  MediaLeg,
  MediaLegListener,
  MediaLegState,
  MediaLegStats,
} from "./media/engine.ts";
export type { Digit, MediaStats, PlayResult } from "./media/index.ts";
export { createDatachannelEngine } from "./media/index.ts";
export type {
  CallEvent,
  CallerIdentity,
  ConnectEvent,
  StatusEvent,
  TerminateEvent,
  UnknownCallEvent,
  WebhookError,
} from "./whatsapp/call-event.ts";
export type { GraphClient, GraphClientOptions } from "./whatsapp/graph-client.ts";
// For those who build their own call control on the parts.
export { createGraphClient } from "./whatsapp/graph-client.ts";
export { verifySubscription, verifyWebhookSignature } from "./whatsapp/signature.ts";
export { parseWebhook } from "./whatsapp/webhook.ts";
