import { type GraphFailure, invalidParameter } from "../../src/simulator/graph/graph-failure.ts";
import type { CallWebhook } from "../../src/simulator/webhook/payload.ts";
import type { CallPlan } from "./call-plan.ts";
import { type Action, type EndedBy, WhatsappCall } from "./whatsapp-call.ts";

/** How long callers wait for a gateway that came back to end their calls. */
const PATIENCE_MS = 45_000;

export interface Mailbox {
  post(webhook: CallWebhook): void;
  postStatus(callId: string): void;
}

/** All calls, as WhatsApp and the callers have them. */
export class Whatsapp {
  readonly calls: readonly WhatsappCall[];
  readonly #byId: ReadonlyMap<string, WhatsappCall>;
  readonly #mailbox: Mailbox;
  /** Calls that were on the line when the gateway died, with callers that stay. */
  strandings = 0;
  #nowMs = 0;

  constructor(plans: readonly CallPlan[], mailbox: Mailbox) {
    this.calls = plans.map((plan) => new WhatsappCall(plan));
    this.#byId = new Map(this.calls.map((call) => [call.plan.callId, call]));
    this.#mailbox = mailbox;
  }

  /** Nothing is left to happen, and nothing to be told. */
  get isOver(): boolean {
    return this.calls.every(({ phase, connectDueMs }) => phase === "ended" && connectDueMs === null);
  }

  get endedCalls(): number {
    return this.calls.filter(({ phase }) => phase === "ended").length;
  }

  /** Lets all happen whose time has come: on a clock of its own, which stands still while the gateway takes long to start. */
  advanceTo(nowMs: number): void {
    this.#nowMs = nowMs;
    for (const call of this.calls) {
      if (call.phase === "waiting" && call.plan.placedAfterMs <= nowMs) this.#place(call);
      if (call.connectDueMs !== null && call.connectDueMs <= nowMs) {
        call.connectDueMs = null;
        this.#mailbox.post(call.connect());
      }
      call.advanceTo(nowMs);
    }
  }

  knows(callId: string): boolean {
    return this.#byId.has(callId);
  }

  /** A request to the Graph API. Returns why it is refused, null when it is done. */
  handle(life: number, callId: string, action: Action): GraphFailure | null {
    const call = this.#byId.get(callId);
    if (call === undefined || call.phase === "waiting") return invalidParameter("Unknown call id");
    const refusal = refuse(call, action);
    call.requests.push({ action, life, wasTaken: refusal === null });
    if (refusal !== null) return invalidParameter(refusal);
    if (action === "pre_accept") call.phase = "connecting";
    else if (action === "accept") this.#answer(call);
    else this.#end(call, action === "reject" ? "rejected" : "business");
    return null;
  }

  /** The gateway was killed: whoever is known to it and patient waits for what it does when it is back. */
  gatewayDied(life: number): void {
    for (const call of this.calls) {
      const isKnown = call.requests.some((request) => request.life === life && request.wasTaken);
      if (!isKnown || call.phase === "ended" || !call.plan.isPatient) continue;
      this.strandings += 1;
      call.strandedBy = life;
      call.clearTimers();
      call.at(this.#nowMs + PATIENCE_MS, () => this.#end(call, "lost"));
    }
  }

  #later(call: WhatsappCall, delayMs: number, callback: () => void): void {
    call.at(this.#nowMs + delayMs, callback);
  }

  #place(call: WhatsappCall): void {
    const { plan } = call;
    call.place();
    if (plan.hasStatus) this.#mailbox.postStatus(plan.callId);
    if (plan.terminatesFirst) this.#end(call, "caller");
    call.connectDueMs = this.#nowMs + plan.connectDelayMs;
    if (plan.terminatesFirst) return;
    this.#later(call, plan.giveUpAfterMs, () => this.#end(call, "caller"));
  }

  #answer(call: WhatsappCall): void {
    call.markAnswered();
    call.clearTimers();
    this.#later(call, call.plan.hangUpAfterMs, () => this.#end(call, "caller"));
  }

  #end(call: WhatsappCall, by: EndedBy): void {
    if (call.phase === "ended") return;
    call.clearTimers();
    call.phase = "ended";
    call.endedBy = by;
    this.#mailbox.post(call.terminate());
  }
}

/** WhatsApp's words where they are known (`test/simulator`). */
function refuse(call: WhatsappCall, action: Action): string | null {
  if (call.phase === "ended") return "Call is already terminated";
  const isAnswer = action === "pre_accept" || action === "accept";
  if (call.phase === "active" && (isAnswer || action === "reject")) return "Call is already accepted";
  return null;
}
