import type { EndReason } from "./types.ts";

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
}

const ORDINARY = { nextStep: null } as const;

const EXPLANATIONS: Readonly<Record<EndReason, EndExplanation>> = {
  "caller-hangup": { meaning: "The caller hung up.", ...ORDINARY },
  "local-hangup": { meaning: "The program hung up.", ...ORDINARY },
  rejected: { meaning: "The program rejected the call.", ...ORDINARY },
  "gateway-closed": { meaning: "The gateway was closed while the call was up.", ...ORDINARY },
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

/** Says what an end means and, where something went wrong, what to do next. */
export function explainEnd(reason: EndReason, facts: EndFacts): EndExplanation {
  if (reason === "media-timeout" && !facts.iceConnected) return NO_ICE;
  return EXPLANATIONS[reason];
}
