import { z } from "zod";
import { EVENT_TYPES } from "../../../core/events/event-types.ts";
import type { Delivery, WebhookEndpoint } from "../../../store/types.ts";
import { isoTime, isoTimeOrNull } from "../pages.ts";

const fields = {
  id: z.string(),
  url: z.string(),
  types: z.array(z.enum(EVENT_TYPES)).nullable().describe("Null: all."),
  phone_number_id: z.string().nullable().describe("Null: all."),
  state: z.enum(["enabled", "disabled"]),
  disabled_reason: z
    .string()
    .nullable()
    .describe("`gone`: it answered 410. `operator`: somebody disabled it."),
  description: z.string(),
  created_at: z.string(),
  secrets: z
    .array(z.object({ expires_at: z.string().nullable() }))
    .describe(
      "How many secrets sign now, newest first, and until when. What they are is shown once, when they are made.",
    ),
};

export const endpointSchema: z.ZodType = z.object(fields);

export const newEndpointSchema: z.ZodType = z.object({
  ...fields,
  secret: z.string().describe("`whsec_…` (Standard Webhooks). It is shown this once."),
});

export const deliverySchema: z.ZodType = z.object({
  id: z.string(),
  event_id: z.string(),
  call_id: z.string().nullable(),
  seq: z.number(),
  state: z.enum(["pending", "delivered", "dead"]),
  attempts: z.number(),
  first_at: z.string().describe("Since when it is tried."),
  next_at: z.string().nullable().describe("When it is tried next; null unless it is pending."),
  delivered_at: z.string().nullable(),
  last_status: z.number().nullable().describe("HTTP status of the last attempt; null without an answer."),
  last_error: z.string().nullable(),
});

/** @param wallMs Now: secrets that have run out are not told of. */
export function toEndpointResource(endpoint: WebhookEndpoint, wallMs: number): object {
  const secrets = endpoint.secrets.filter(({ expiresAt }) => expiresAt === null || expiresAt > wallMs);
  return {
    id: endpoint.id,
    url: endpoint.url,
    types: endpoint.types,
    phone_number_id: endpoint.phoneNumberId,
    state: endpoint.state,
    disabled_reason: endpoint.disabledReason,
    description: endpoint.description,
    created_at: isoTime(endpoint.createdAt),
    secrets: secrets.map(({ expiresAt }) => ({ expires_at: isoTimeOrNull(expiresAt) })),
  };
}

/** An answer that is kept for a repeated request, without what is shown once. */
export function withoutSecret(body: unknown): unknown {
  if (typeof body !== "object" || body === null) return body;
  return { ...body, secret: null };
}

export function toDeliveryResource(delivery: Delivery): object {
  return {
    id: delivery.id,
    event_id: delivery.eventId,
    call_id: delivery.callId,
    seq: delivery.seq,
    state: delivery.state,
    attempts: delivery.attempts,
    first_at: isoTime(delivery.firstAt),
    next_at: delivery.state === "pending" ? isoTime(delivery.nextAt) : null,
    delivered_at: isoTimeOrNull(delivery.deliveredAt),
    last_status: delivery.lastStatus,
    last_error: delivery.lastError,
  };
}
