import type { EventType, JsonObject } from "../../src/core/events/event-types.ts";
import type {
  CallChange,
  NewCall,
  NewEvent,
  NewWebhook,
  RecordingRecord,
  RetentionPolicy,
  Store,
  WebhookEndpoint,
} from "../../src/store/index.ts";

/** 2026-11-26 in ms. */
export const NOON = 1_795_694_400_000;
export const DAY_MS = 86_400_000;
export const NUMBER = "4915112345678";

let counted = 0;

/** Rises, as ids that are made one after the other do. */
export function nextId(prefix: string): string {
  counted += 1;
  return `${prefix}_${counted.toString(16).padStart(32, "0")}`;
}

export function newCall(call: Partial<NewCall> = {}): NewCall {
  const id = call.id ?? nextId("call");
  return {
    id,
    callKey: `key of ${id}`,
    phoneNumberId: "1001",
    whatsappCallId: `wacid.${NUMBER}.${id}`,
    direction: "inbound",
    state: "ringing",
    party: { number: NUMBER, userId: null, name: "Ada Lovelace", username: "ada.l" },
    node: "node-1",
    createdAt: NOON,
    ...call,
  };
}

export function newEvent(type: EventType, seq: number, event: Partial<NewEvent> = {}): NewEvent {
  return { id: nextId("evt"), type, at: NOON + seq, data: { of: type }, personal: null, ...event };
}

export function newWebhook(keys: readonly string[], webhook: Partial<NewWebhook> = {}): NewWebhook {
  return {
    receivedAt: NOON,
    body: new TextEncoder().encode(`webhook of ${NUMBER}: ${keys.join()}`),
    entries: keys.map((dedupKey, position) => ({
      dedupKey,
      callKey: `call of ${dedupKey}`,
      event: "connect",
      position,
      subject: NUMBER,
    })),
    ...webhook,
  };
}

export function newEndpoint(endpoint: Partial<WebhookEndpoint> = {}): WebhookEndpoint {
  return {
    id: nextId("whe"),
    url: "https://crm.example/hook",
    types: null,
    phoneNumberId: null,
    secrets: [{ secret: "whsec_c2VjcmV0", expiresAt: null }],
    state: "enabled",
    disabledReason: null,
    description: "CRM",
    createdAt: NOON,
    ...endpoint,
  };
}

export function newRecording(callId: string, recording: Partial<RecordingRecord> = {}): RecordingRecord {
  return {
    id: nextId("rec"),
    callId,
    phoneNumberId: "1001",
    status: "completed",
    format: "opus",
    files: [{ path: "a/b.ogg", channel: "both", bytes: 1_234, sha256: "ab".repeat(32) }],
    durationMs: 5_000,
    consent: { kind: "announce" },
    startedAt: NOON,
    endedAt: NOON + 5_000,
    ...recording,
  };
}

/** A call with events of these types, as it is told by whoever has it. */
export async function writeCall(
  store: Store,
  types: readonly EventType[],
  call: Partial<NewCall> = {},
  change: Partial<CallChange> = {},
): Promise<NewCall> {
  const create = newCall(call);
  const ended = types.includes("call.ended");
  await store.calls.commit({
    callId: create.id,
    create,
    events: types.map((type, index) => newEvent(type, index + 1, { personal: personalOf(type) })),
    ...(ended
      ? { update: { state: "ended", endedAt: create.createdAt + 60_000, endReason: "caller-hangup" } }
      : {}),
    ...change,
  });
  return create;
}

function personalOf(type: EventType): JsonObject | null {
  return type === "call.incoming" ? { caller: { number: NUMBER } } : null;
}

/** Keeps everything. */
export const KEEP: RetentionPolicy = {
  webhooksMs: 1e12,
  callsMs: 1e12,
  eventsMs: 1e12,
  deliveriesMs: 1e12,
  recordingsMs: 1e12,
  auditMs: 1e12,
};

export function alphabetically(one: unknown, other: unknown): number {
  return (one as string) < (other as string) ? -1 : 1;
}
