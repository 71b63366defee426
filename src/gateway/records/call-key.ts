import { createHash } from "node:crypto";
import type { CallEvent } from "../../whatsapp/call-event.ts";
import { callEventKey } from "../../whatsapp/webhook.ts";

/** What all events of one WhatsApp call share: a hash, since WhatsApp's own id holds the caller's number. */
export function callKey({ phoneNumberId, callId }: Pick<CallEvent, "phoneNumberId" | "callId">): string {
  return hash(JSON.stringify([phoneNumberId, callId]));
}

/** What repeated deliveries of one event share. */
export function dedupKey(event: CallEvent): string {
  return hash(callEventKey(event));
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}
