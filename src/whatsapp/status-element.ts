import { z } from "zod";
import type { ElementContext } from "./call-element.ts";
import type { StatusEvent, UnknownCallEvent } from "./call-event.ts";
import { identify } from "./caller-identity.ts";
import { epochMsField, idField, lowerCaseField, phoneNumberField, textField } from "./webhook-field.ts";

const statusSchema = z.looseObject({
  id: idField,
  type: lowerCaseField,
  status: lowerCaseField,
  timestamp: epochMsField,
  recipient_id: phoneNumberField,
  recipient_user_id: textField,
  recipient_parent_user_id: textField,
  biz_opaque_callback_data: textField,
});

/**
 * Turns one element of `statuses[]` of the field `calls` into an event. WhatsApp sends these for calls that the business placed.
 *
 * @returns null when it is no object or has no usable id; an `unknown` event when it has an id but is no status of a call.
 */
export function readStatusElement(
  raw: Readonly<Record<string, unknown>>,
  context: ElementContext,
): StatusEvent | UnknownCallEvent | null {
  const { data } = statusSchema.safeParse(raw);
  if (data === undefined) return null;
  const user = {
    phoneNumber: data.recipient_id,
    userId: data.recipient_user_id,
    parentUserId: data.recipient_parent_user_id,
  };
  const base = {
    phoneNumberId: context.phoneNumberId,
    callId: data.id,
    timestampMs: data.timestamp,
    direction: "business-initiated",
    caller: identify(user, context.contacts, context.isOnlyElement),
    callbackData: data.biz_opaque_callback_data,
    raw,
  } as const;
  const isCallStatus = data.type === null || data.type === "call";
  if (!isCallStatus || data.status === null) return { ...base, type: "unknown", event: "status" };
  return { ...base, type: "status", status: toStatus(data.status) };
}

function toStatus(value: string): StatusEvent["status"] {
  return value === "ringing" || value === "accepted" || value === "rejected" ? value : "unknown";
}
