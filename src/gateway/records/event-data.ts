import type { EndReason } from "../../core/call/types.ts";
import type { JsonObject } from "../../core/events/event-types.ts";
import type { MediaStats } from "../../media/index.ts";
import type { CallDirection, CallParty, HangUpBy } from "../../store/types.ts";
import type { CallerIdentity, ConnectEvent } from "../../whatsapp/call-event.ts";
import type { CallEnd } from "../call.ts";

/** `caller-hangup` as programs outside read it: `caller_hangup`. */
export function snakeCase(kebab: string): string {
  return kebab.replaceAll("-", "_");
}

export function partyOf({ phoneNumber, userId, name, username }: CallerIdentity): CallParty {
  return { number: phoneNumber, userId, name, username };
}

export function incomingData(phoneNumberId: string, direction: CallDirection): JsonObject {
  return { direction, phone_number_id: phoneNumberId };
}

export function incomingPersonal(event: ConnectEvent): JsonObject {
  const { number, userId, name, username } = partyOf(event.caller);
  return {
    caller: { number, user_id: userId, name, username },
    deeplink_payload: event.deeplinkPayload,
    cta_payload: event.ctaPayload,
  };
}

export interface EndTimes {
  readonly startedAt: number;
  readonly answeredAt: number | null;
  readonly endedAt: number;
}

export function endedData(
  end: CallEnd,
  direction: CallDirection,
  { startedAt, answeredAt, endedAt }: EndTimes,
  media: JsonObject | null,
): JsonObject {
  return {
    reason: snakeCase(end.reason),
    direction,
    answered: end.answered,
    duration_ms: end.durationMs,
    hangup_by: hangUpBy(end.reason),
    started_at: iso(startedAt),
    answered_at: answeredAt === null ? null : iso(answeredAt),
    ended_at: iso(endedAt),
    media,
    error_code: errorCode(end),
    meaning: end.explanation.meaning,
    next_step: end.explanation.nextStep,
  };
}

/** WhatsApp's number for it, or ours; null when nothing went wrong. */
export function errorCode(end: CallEnd): string | null {
  const [remote] = end.remoteErrors;
  if (remote !== undefined) return String(remote.code);
  const { error } = end;
  if (error === null) return null;
  const graphCode = "graphCode" in error.details ? error.details.graphCode : null;
  return graphCode === null ? error.code : String(graphCode);
}

export function hangUpBy(reason: EndReason): HangUpBy {
  if (reason === "caller-hangup") return "caller";
  if (reason === "local-hangup" || reason === "rejected") return "business";
  return reason === "remote-failed" || reason === "graph-refused" ? "whatsapp" : "gateway";
}

export function mediaData(stats: MediaStats | null): JsonObject | null {
  if (stats === null) return null;
  const { received, rtcp, transport } = stats;
  const rttMs = rtcp.rttMs ?? transport.rttMs;
  return {
    packets_sent: stats.packetsSent,
    packets_received: received.packetsReceived,
    packets_lost: received.packetsLost,
    jitter_ms: rounded(received.jitterMs),
    rtt_ms: rttMs === null ? null : rounded(rttMs),
    slots_skipped: stats.slotsSkipped,
    bytes_sent: transport.bytesSent,
    bytes_received: transport.bytesReceived,
  };
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

function iso(wallMs: number): string {
  return new Date(wallMs).toISOString();
}
