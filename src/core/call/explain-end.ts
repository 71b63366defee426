import type { EndReason, MediaDownReason } from "./types.ts";

/** What an end means and what to do about it, in words for the one who runs the program. */
export interface EndExplanation {
  readonly meaning: string;
  /** Null when nothing is to be done: the end is an ordinary one. */
  readonly nextStep: string | null;
}

/** What is known about a call beside its end reason. */
export interface EndFacts {
  /** ICE had found a working pair. */
  readonly iceConnected: boolean;
  /** Why media went down; null: it did not, or nobody knows. */
  readonly mediaDown: MediaDownReason | null;
}

const ORDINARY = { nextStep: null } as const;

const EXPLANATIONS: Readonly<Record<EndReason, EndExplanation>> = {
  "caller-hangup": { meaning: "The caller hung up.", ...ORDINARY },
  "local-hangup": { meaning: "The program hung up.", ...ORDINARY },
  rejected: { meaning: "The program rejected the call.", ...ORDINARY },
  "gateway-closed": { meaning: "The gateway was closed while the call was up.", ...ORDINARY },
  "gateway-restarted": {
    meaning: "The gateway's process died while the call was up; the next one told WhatsApp that it is over.",
    nextStep: "Look for what ended the process: the system's log, memory limits, a deploy without SIGTERM.",
  },
  "answer-timeout": {
    meaning: "The program did not answer while WhatsApp let the call ring.",
    nextStep: "Call answer() or reject() within 30 s of the webhook; start slow work after answer().",
  },
  "offer-expired": {
    meaning: "The webhook came after WhatsApp had given the call up: a repeated delivery, or a wrong clock.",
    nextStep:
      "Check that the machine's clock is right and that the webhook is answered with 200 at the first try.",
  },
  "offer-unusable": {
    meaning: "No answer can be made of the offer.",
    nextStep:
      "See the error's rule. SDES offers come from the setting srtp_key_exchange_protocol; it must be DTLS.",
  },
  "media-timeout": {
    meaning: "WhatsApp took the answer, but the encrypted connection did not come up (DTLS).",
    nextStep: "Look for a firewall that drops large UDP packets, and check that no proxy rewrites the SDP.",
  },
  "media-failed": {
    meaning: "The media connection could not be opened, or broke down during the call.",
    nextStep:
      "Check the log for the engine's error, free UDP ports in MEDIA_PORT, and the network of this machine.",
  },
  "graph-refused": {
    meaning: "WhatsApp refused a request about the call.",
    nextStep: "See the error: its meaning and nextStep come from Meta's code and details.",
  },
  "graph-unreachable": {
    meaning: "The Graph API gave no usable answer.",
    nextStep: "Check outbound HTTPS to graph.facebook.com, GRAPH_API_URL and GRAPH_API_VERSION.",
  },
  "remote-failed": {
    meaning: "WhatsApp ended the call as failed.",
    nextStep: "See remoteErrors: the code says which side lost the media.",
  },
  "handler-failed": {
    meaning: "The program's call handler threw.",
    nextStep: "The log has the error and its stack.",
  },
  overloaded: {
    meaning: "There were as many calls as maxCalls allows, or the gateway was draining.",
    nextStep: "Raise maxCalls if the machine has room, or start another gateway.",
  },
};

const NO_ICE: EndExplanation = {
  meaning: "WhatsApp took the answer, but its relay never answered a connectivity check (ICE).",
  nextStep:
    // Meta Calling API, "FAQ" (read 2026-11-22): relay ports, which may change.
    "Allow outbound UDP, at least to ports 3478, 3480, 3482, 3484 and 40012, and its answers back in.",
};

const MEDIA_DOWN: Readonly<Record<MediaDownReason, EndExplanation>> = {
  "ice-no-pair": NO_ICE,
  "ice-consent-expired": {
    meaning: "WhatsApp's relay stopped answering the connectivity checks during the call (ICE consent).",
    nextStep: "Look for a network outage, and for a firewall or NAT that forgets UDP flows within seconds.",
  },
  "dtls-timeout": {
    meaning: "WhatsApp's relay was reached, but the encryption handshake did not finish (DTLS).",
    nextStep: "Look for a firewall that drops large UDP packets or lets only STUN pass.",
  },
  "dtls-fingerprint-mismatch": {
    meaning:
      "The other side's certificate is not the one that its SDP names: somebody else may have answered.",
    nextStep:
      "Check that no proxy rewrites the webhook's SDP and that nothing on the way answers in WhatsApp's place.",
  },
  "dtls-no-common-parameters": {
    meaning: "The other side takes none of our DTLS versions, cipher suites or SRTP profiles.",
    nextStep: "Report it with the timeline: WhatsApp's relays take DTLS 1.2 with AES-128-GCM.",
  },
  "dtls-protocol-error": {
    meaning: "The other side broke the rules of the encryption handshake (DTLS), and it was given up.",
    nextStep:
      "If it happens again, report it with the log at LOG_LEVEL=debug; once, it may be a forged packet.",
  },
  "dtls-peer-alert": {
    meaning: "The other side broke the encryption off with an alert (DTLS).",
    nextStep: "Check that the SDP of accept is the one of pre_accept and that no proxy rewrites it.",
  },
  "dtls-peer-closed": {
    meaning: "WhatsApp's relay closed the media connection before the end of the call was told.",
    nextStep:
      "Nothing, when the caller had just hung up: the webhook came later. Otherwise see the timeline.",
  },
  "worker-crashed": {
    meaning: "The thread that carried the call's media broke down or hung; it was started again.",
    nextStep: "The log has the error in its line `media worker broke down`; report it.",
  },
  "engine-error": {
    meaning: "The media engine itself failed in this call.",
    nextStep: "The log has the error; report it.",
  },
};

/** Says what an end means and, where something went wrong, what to do next. */
export function explainEnd(reason: EndReason, facts: EndFacts): EndExplanation {
  const isMedia = reason === "media-failed" || reason === "media-timeout";
  if (isMedia && facts.mediaDown !== null) return MEDIA_DOWN[facts.mediaDown];
  if (reason === "media-timeout" && !facts.iceConnected) return NO_ICE;
  return EXPLANATIONS[reason];
}
