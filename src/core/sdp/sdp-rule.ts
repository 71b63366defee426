/** What a text is: the SDP of the side that calls, or of the side that answers. */
export type SdpRole = "answer" | "offer";

/** Ids of the rules. They are public: findings, `SDP_UNUSABLE` errors and docs/sdp.md name them. */
export type SdpRuleId =
  | "readable"
  | "crlf"
  | "session-lines"
  | "connection-line"
  | "audio-present"
  | "audio-only"
  | "audio-port"
  | "no-sdes"
  | "audio-profile"
  | "rtcp-mux"
  | "ice-credentials"
  | "fingerprint-present"
  | "fingerprint-sha256"
  | "fingerprint-value"
  | "fingerprint-single"
  | "setup-answer"
  | "setup-offer"
  | "setup-passive"
  | "opus"
  | "telephone-event-clock"
  | "telephone-event-missing"
  | "single-ssrc"
  | "ptime"
  | "sendrecv"
  | "no-ice-lite"
  | "no-trickle"
  | "candidates-udp"
  | "candidates-readable"
  | "bundle-mid"
  | "payload-types-offered"
  | "mid-offered"
  | "not-the-offer";

/** `error`: WhatsApp refuses the SDP or no audio flows. `warning`: it is taken, but something is amiss. */
export type SdpSeverity = "error" | "warning";

/** One rule for the SDP that a business sends to WhatsApp. */
export interface SdpRule {
  readonly id: SdpRuleId;
  readonly severity: SdpSeverity;
  readonly appliesTo: SdpRole | "both";
  readonly title: string;
  /** Why the rule is there. */
  readonly explanation: string;
  /** What to do when it is broken. */
  readonly mend: string;
  /** Page of Meta's documentation with the date it was read, RFC section, or observed behaviour. */
  readonly source: string;
  /** What Meta writes into `error.error_data.details` when it refuses. Errors alone have it. */
  readonly metaDetails?: string;
  /** True when `metaDetails` is a guess: the refusal or its wording was never observed. */
  readonly assumed?: true;
}
