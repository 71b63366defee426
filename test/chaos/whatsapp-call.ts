import type { CallIdentity } from "../../src/simulator/call-identity.ts";
import { type CallWebhook, connectWebhook, terminateWebhook } from "../../src/simulator/webhook/payload.ts";
import { readSample } from "../fixtures/sdp/samples.ts";
import type { CallPlan } from "./call-plan.ts";

export const NUMBER = { id: "100000000000001", displayPhoneNumber: "15550009999" } as const;

export type Action = "pre_accept" | "accept" | "reject" | "terminate";
/** `lost`: the gateway should have ended it, and the caller's patience is over. */
export type EndedBy = "caller" | "business" | "rejected" | "not-answered" | "lost";

export interface GraphRequest {
  readonly action: Action;
  /** Which life of the gateway sent it. */
  readonly life: number;
  readonly wasTaken: boolean;
}

const OFFER = readSample("live-uic-offer-by-meta-20251017");

/** A call as WhatsApp has it. */
export class WhatsappCall {
  readonly plan: CallPlan;
  readonly requests: GraphRequest[] = [];
  phase: "waiting" | "ringing" | "connecting" | "active" | "ended" = "waiting";
  endedBy: EndedBy | null = null;
  /** When its `connect` is to be sent; null: it was. */
  connectDueMs: number | null = null;
  /** The life of the gateway that died with it on the line. */
  strandedBy: number | null = null;
  #placedWallMs = 0;
  #answeredWallMs: number | null = null;
  #timers: { readonly dueMs: number; readonly callback: () => void }[] = [];

  constructor(plan: CallPlan) {
    this.plan = plan;
  }

  place(): void {
    this.phase = "ringing";
    this.#placedWallMs = Date.now();
  }

  markAnswered(): void {
    this.phase = "active";
    this.#answeredWallMs = Date.now();
  }

  at(dueMs: number, callback: () => void): void {
    this.#timers.push({ dueMs, callback });
  }

  clearTimers(): void {
    this.#timers = [];
  }

  /** Fires what is due. */
  advanceTo(nowMs: number): void {
    const due = this.#timers.filter(({ dueMs }) => dueMs <= nowMs);
    this.#timers = this.#timers.filter(({ dueMs }) => dueMs > nowMs);
    for (const { callback } of due) callback();
  }

  connect(): CallWebhook {
    const wallMs = this.#placedWallMs - this.plan.offerAgeMs;
    return connectWebhook(this.#identity(), { sdp: OFFER, wallMs }, this.plan.hasNoise);
  }

  terminate(): CallWebhook {
    const endWallMs = Date.now();
    const startWallMs = this.#answeredWallMs;
    const durationSeconds = startWallMs === null ? null : Math.round((endWallMs - startWallMs) / 1_000);
    const end = { endWallMs, startWallMs, durationSeconds, callbackData: null, errorCode: null };
    return terminateWebhook(this.#identity(), { ...end, status: "COMPLETED" }, this.plan.hasNoise);
  }

  /** Lives whose `accept` took effect, or that sent one for a call that was accepted before. */
  get answeringLives(): ReadonlySet<number> {
    const first = this.requests.findIndex(({ action, wasTaken }) => action === "accept" && wasTaken);
    if (first < 0) return new Set();
    const accepts = this.requests.slice(first).filter(({ action }) => action === "accept");
    return new Set(accepts.map(({ life }) => life));
  }

  #identity(): CallIdentity {
    const { callId, from, program } = this.plan;
    return {
      callId,
      from,
      number: NUMBER,
      userId: `US.${from}`,
      name: "Zoë Müller",
      username: null,
      deeplinkPayload: JSON.stringify(program),
      ctaPayload: null,
    };
  }
}
