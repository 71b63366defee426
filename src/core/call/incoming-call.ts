import type { CallInput, CallOutput, CallPhase, EndReason, IncomingCallOptions, Millis } from "./types.ts";

const DEFAULT_ANSWER_WINDOW_MS = 30_000;
const DEFAULT_MEDIA_TIMEOUT_MS = 15_000;

/** Inputs that any living call takes the same way, whatever its phase. */
type EndingInput = Extract<
  CallInput,
  { type: "reject" | "hang-up" | "media-failed" | "remote-terminate" | "answer-impossible" | "graph-failed" }
>;

/**
 * One incoming call's signalling, without I/O: inputs carry their time, outputs are data to be carried out in order.
 * After each `handle`, arm one timer for `deadline` (null: none) and feed `timeout` when it is due.
 *
 * The order is that of Meta Calling API, "User-initiated calls" (read 2026-11-22): pre_accept, ICE and DTLS, accept
 * with the same SDP, media after the 200 of accept. Webhooks may be late, doubled or out of order
 * (Meta Calling API, "FAQ", read 2026-11-22): whatever comes after the end changes nothing.
 */
export class IncomingCall {
  readonly #answerWindowMs: number;
  readonly #mediaTimeoutMs: number;
  readonly #preAccept: boolean;

  #phase: CallPhase | "new" = "new";
  #endReason: EndReason | null = null;
  /** The one SDP that every request of this call carries. */
  #answerSdp: string | null = null;
  #wantsAnswer = false;
  #mediaUp = false;
  /** `accept` has left: from here on a hang-up is `terminate`, no longer `reject`. */
  #acceptSent = false;
  #accepted = false;
  #answerDeadline: Millis | null = null;
  #mediaDeadline: Millis | null = null;

  constructor(options: IncomingCallOptions = {}) {
    this.#answerWindowMs = options.answerWindowMs ?? DEFAULT_ANSWER_WINDOW_MS;
    this.#mediaTimeoutMs = options.mediaTimeoutMs ?? DEFAULT_MEDIA_TIMEOUT_MS;
    this.#preAccept = options.preAccept ?? true;
  }

  /** `new` until the offer is here. */
  get phase(): CallPhase | "new" {
    return this.#phase;
  }

  /** Null until the call has ended. */
  get endReason(): EndReason | null {
    return this.#endReason;
  }

  /** When `timeout` is due, on the clock of the inputs; null: never. */
  get deadline(): Millis | null {
    if (this.#answerDeadline === null) return this.#mediaDeadline;
    if (this.#mediaDeadline === null) return this.#answerDeadline;
    return Math.min(this.#answerDeadline, this.#mediaDeadline);
  }

  handle(input: CallInput): readonly CallOutput[] {
    if (this.#phase === "ended") return [];
    switch (input.type) {
      case "offer":
        return this.#offer(input.at, input.offerAgeMs);
      case "answer-built":
        return this.#answerBuilt(input.sdp);
      case "answer":
        this.#wantsAnswer = true;
        return this.#acceptWhenReady();
      case "media-connected":
        return this.#mediaConnected();
      case "graph-ok":
        if (input.action === "pre_accept") return this.#preAccepted(input.at);
        return input.action === "accept" ? this.#acceptConfirmed(input.at) : [];
      case "timeout":
        return this.#timeout(input.at);
      case "answer-impossible":
      case "reject":
      case "hang-up":
      case "media-failed":
      case "graph-failed":
      case "remote-terminate":
        return this.#endBy(input);
    }
  }

  #offer(at: Millis, offerAgeMs: Millis): readonly CallOutput[] {
    // A repeated webhook: the call is known.
    if (this.#phase !== "new") return [];
    if (offerAgeMs >= this.#answerWindowMs) return this.#end("offer-expired", "nothing");
    this.#answerDeadline = at + this.#answerWindowMs - Math.max(0, offerAgeMs);
    return [this.#enter("ringing"), { type: "open-media" }, { type: "ring" }];
  }

  #answerBuilt(sdp: string): readonly CallOutput[] {
    if (this.#phase !== "ringing" || this.#answerSdp !== null) return [];
    this.#answerSdp = sdp;
    if (this.#preAccept) return [{ type: "request", action: "pre_accept", sdp }];
    return this.#acceptWhenReady();
  }

  #preAccepted(at: Millis): readonly CallOutput[] {
    if (this.#phase !== "ringing") return [];
    return this.#startMedia(at);
  }

  #startMedia(at: Millis): readonly CallOutput[] {
    this.#mediaDeadline = at + this.#mediaTimeoutMs;
    return [this.#enter("connecting"), { type: "connect-media" }];
  }

  #mediaConnected(): readonly CallOutput[] {
    if (this.#phase !== "connecting" || this.#mediaUp) return [];
    this.#mediaUp = true;
    this.#mediaDeadline = null;
    return this.#accepted ? this.#activate() : this.#acceptWhenReady();
  }

  /** With pre_accept, `accept` waits for media, so that the caller's first word finds a listener. */
  #acceptWhenReady(): readonly CallOutput[] {
    const sdp = this.#answerSdp;
    const ready = sdp !== null && (this.#mediaUp || !this.#preAccept);
    if (!ready || !this.#wantsAnswer || this.#acceptSent) return [];
    this.#acceptSent = true;
    // From here the Graph client's own timeout bounds the wait.
    this.#answerDeadline = null;
    return [{ type: "request", action: "accept", sdp }];
  }

  #acceptConfirmed(at: Millis): readonly CallOutput[] {
    if (!this.#acceptSent || this.#accepted) return [];
    this.#accepted = true;
    return this.#mediaUp ? this.#activate() : this.#startMedia(at);
  }

  #activate(): readonly CallOutput[] {
    // Meta Calling API, "FAQ" (read 2026-11-22): media before accept's 200 starts the caller's timer too early.
    return [{ type: "start-rtp" }, this.#enter("active")];
  }

  #timeout(at: Millis): readonly CallOutput[] {
    if (this.#mediaDeadline !== null && at >= this.#mediaDeadline) {
      return this.#end("media-timeout", "tell-whatsapp");
    }
    if (this.#answerDeadline !== null && at >= this.#answerDeadline) {
      return this.#end(this.#whyNotAccepted(), "tell-whatsapp");
    }
    return [];
  }

  /** The window closed before `accept`: on the user, or on whatever the user's answer still waited for. */
  #whyNotAccepted(): EndReason {
    if (!this.#wantsAnswer) return "answer-timeout";
    if (this.#answerSdp === null) return "media-failed";
    return this.#phase === "ringing" ? "graph-unreachable" : "media-timeout";
  }

  #endBy(input: EndingInput): readonly CallOutput[] {
    switch (input.type) {
      case "remote-terminate":
        return this.#end(input.failed ? "remote-failed" : "caller-hangup", "nothing");
      case "media-failed":
        return this.#end("media-failed", "tell-whatsapp");
      case "graph-failed":
        return this.#graphFailed(input);
      case "answer-impossible":
      case "reject":
      case "hang-up":
        return this.#end(input.reason, "tell-whatsapp");
    }
  }

  #graphFailed(input: Extract<CallInput, { type: "graph-failed" }>): readonly CallOutput[] {
    if (input.action === "reject" || input.action === "terminate") return [];
    // A refused accept left the call ringing, so it is rejected; an unanswered one may have been taken.
    if (input.action === "accept" && input.failure === "refused") this.#acceptSent = false;
    const reason = input.failure === "refused" ? "graph-refused" : "graph-unreachable";
    return this.#end(reason, "tell-whatsapp");
  }

  #end(reason: EndReason, whatsapp: "tell-whatsapp" | "nothing"): readonly CallOutput[] {
    const outputs: CallOutput[] = [];
    if (this.#phase !== "new") outputs.push({ type: "close-media" });
    if (whatsapp === "tell-whatsapp") {
      outputs.push({ type: "request", action: this.#acceptSent ? "terminate" : "reject" });
    }
    this.#endReason = reason;
    this.#answerDeadline = null;
    this.#mediaDeadline = null;
    outputs.push(this.#enter("ended"), { type: "ended", reason });
    return outputs;
  }

  #enter(phase: CallPhase): CallOutput {
    this.#phase = phase;
    return { type: "phase", phase };
  }
}
