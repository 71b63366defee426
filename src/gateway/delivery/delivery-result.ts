import { retryAt } from "../../core/delivery/retry-schedule.ts";
import type { DeliveryResult, DueDelivery, WallMs } from "../../store/types.ts";
import type { AttemptOutcome } from "./attempt.ts";

/** What is written of an attempt. @param fraction Random, 0 to less than 1. */
export function resultOf(
  delivery: DueDelivery,
  outcome: AttemptOutcome,
  now: WallMs,
  fraction: number,
): DeliveryResult {
  const attempts = delivery.attempts + 1;
  const common = { id: delivery.id, attempts, lastStatus: outcome.status, lastError: outcome.error };
  if (outcome.verdict === "delivered")
    return { ...common, state: "delivered", nextAt: now, deliveredAt: now };
  // It waits for the endpoint to be enabled again.
  if (outcome.verdict === "gone") return { ...common, state: "pending", nextAt: now, deliveredAt: null };
  const { retryAfterMs } = outcome;
  const nextAt = retryAt({ attempts, firstAtMs: delivery.firstAt, nowMs: now, retryAfterMs, fraction });
  const state = nextAt === null ? "dead" : "pending";
  return { ...common, state, nextAt: Math.ceil(nextAt ?? now), deliveredAt: null };
}

/** Given up without another attempt: its time is over, and its endpoint has failed for as long. */
export function expired(delivery: DueDelivery, now: WallMs): DeliveryResult {
  return {
    id: delivery.id,
    state: "dead",
    attempts: delivery.attempts,
    nextAt: now,
    deliveredAt: null,
    lastStatus: delivery.lastStatus,
    lastError: delivery.lastError ?? "not tried: the endpoint has failed for more than 24 h",
  };
}
