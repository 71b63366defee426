import type { TransportEndReason } from "../transport/call-transport.ts";

/** Milliseconds on the monotonic clock that the shell injects; never wall time. */
export type Millis = number;

/**
 * Where a call stands, as its user sees it.
 * `ringing`: an offer is here, nobody answered. `connecting`: WhatsApp has our SDP, ICE and DTLS are under way or up.
 * `active`: accepted, audio flows. `ended`: over, for exactly one reason.
 */
export type CallPhase = "ringing" | "connecting" | "active" | "ended";

/** Why a call ended. The first cause wins. */
export type EndReason =
  /** The caller hung up, before or after the answer. */
  | "caller-hangup"
  /** Our user hung up. */
  | "local-hangup"
  /** Our user rejected the call. */
  | "rejected"
  /** Nobody answered within the answer window. */
  | "answer-timeout"
  /** The webhook came so late that WhatsApp has given the call up. */
  | "offer-expired"
  /** The offer cannot be answered: not SDP, no audio, no Opus, SDES. */
  | "offer-unusable"
  /** ICE or DTLS did not come up in time. */
  | "media-timeout"
  /** The media leg could not be opened, or broke down. */
  | "media-failed"
  /** The Graph API refused our answer. */
  | "graph-refused"
  /** The Graph API gave no usable answer. */
  | "graph-unreachable"
  /** WhatsApp ended the call as failed; the error code says why. */
  | "remote-failed"
  /** The user's handler threw. */
  | "handler-failed"
  /** The gateway has no room for another call. */
  | "overloaded"
  /** The gateway was closed. */
  | "gateway-closed"
  /** The gateway's process died under the call, and was started again. */
  | "gateway-restarted";

/** Why a call's media went down, where that is known. */
export type MediaDownReason =
  | TransportEndReason
  /** The worker that carried the call broke down. */
  | "worker-crashed"
  /** The engine itself broke down; the log has the error. */
  | "engine-error";

/** Reasons that our own side may give for hanging up. */
export type LocalEndReason = Extract<EndReason, "local-hangup" | "handler-failed" | "gateway-closed">;

/** What the Graph API is asked to do with an incoming call. */
export type CallAction = "pre_accept" | "accept" | "reject" | "terminate";

export type CallInput =
  /** The `connect` webhook. `offerAgeMs` is its age by WhatsApp's timestamp, 0 when unknown. */
  | { readonly type: "offer"; readonly at: Millis; readonly offerAgeMs: Millis }
  /** Our media leg is open and the answer is built. */
  | { readonly type: "answer-built"; readonly at: Millis; readonly sdp: string }
  /** No answer can be built. */
  | {
      readonly type: "answer-impossible";
      readonly at: Millis;
      readonly reason: "offer-unusable" | "media-failed";
    }
  /** The user takes the call. */
  | { readonly type: "answer"; readonly at: Millis }
  | { readonly type: "reject"; readonly at: Millis; readonly reason: "rejected" | "overloaded" }
  | { readonly type: "hang-up"; readonly at: Millis; readonly reason: LocalEndReason }
  | { readonly type: "media-connected"; readonly at: Millis }
  | { readonly type: "media-failed"; readonly at: Millis }
  | { readonly type: "graph-ok"; readonly at: Millis; readonly action: CallAction }
  | {
      readonly type: "graph-failed";
      readonly at: Millis;
      readonly action: CallAction;
      readonly failure: "refused" | "unreachable";
    }
  /** The `terminate` webhook. */
  | { readonly type: "remote-terminate"; readonly at: Millis; readonly failed: boolean }
  | { readonly type: "timeout"; readonly at: Millis };

export type CallOutput =
  /** Tell the user that a call rings. */
  | { readonly type: "ring" }
  /** Open a media leg and build the answer. */
  | { readonly type: "open-media" }
  /** WhatsApp knows our answer: start ICE and DTLS. */
  | { readonly type: "connect-media" }
  /** Media may flow from now on, and must, without a gap. */
  | { readonly type: "start-rtp" }
  | { readonly type: "close-media" }
  | { readonly type: "request"; readonly action: "pre_accept" | "accept"; readonly sdp: string }
  | { readonly type: "request"; readonly action: "reject" | "terminate" }
  | { readonly type: "phase"; readonly phase: CallPhase }
  | { readonly type: "ended"; readonly reason: EndReason };

export interface IncomingCallOptions {
  /**
   * How long WhatsApp lets a call ring, in ms, counted from its own timestamp. Default 30 000.
   * Meta Calling API, "Reference" says about 30 to 60 s (read 2026-11-22); the lower end is safe.
   */
  readonly answerWindowMs?: number;
  /** Time for ICE and DTLS after WhatsApp knows our answer, in ms. Default 15 000. */
  readonly mediaTimeoutMs?: number;
  /** Send `pre_accept` first, so that media is up before the answer. Default true. */
  readonly preAccept?: boolean;
}
