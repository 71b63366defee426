import * as audio from "./audio-checks.ts";
import type { Check } from "./check.ts";
import * as negotiation from "./negotiation-checks.ts";
import type { SdpRuleId } from "./sdp-rule.ts";
import * as session from "./session-checks.ts";

/** The check of each rule but the two about the text itself, `readable` and `crlf`. */
export const checks: Readonly<Record<Exclude<SdpRuleId, "readable" | "crlf">, Check>> = {
  "session-lines": session.checkSessionLines,
  "connection-line": session.checkConnectionLine,
  "audio-present": session.checkAudioPresent,
  "audio-only": session.checkAudioOnly,
  "audio-port": audio.checkAudioPort,
  "no-sdes": audio.checkNoSdes,
  "audio-profile": audio.checkAudioProfile,
  "rtcp-mux": audio.checkRtcpMux,
  "ice-credentials": audio.checkIceCredentials,
  "fingerprint-present": audio.checkFingerprintPresent,
  "fingerprint-sha256": audio.checkFingerprintSha256,
  "fingerprint-value": audio.checkFingerprintValue,
  "fingerprint-single": audio.checkFingerprintSingle,
  "setup-answer": negotiation.checkSetupAnswer,
  "setup-offer": negotiation.checkSetupOffer,
  "setup-passive": negotiation.checkSetupPassive,
  opus: audio.checkOpus,
  "telephone-event-clock": audio.checkTelephoneEventClock,
  "telephone-event-missing": negotiation.checkTelephoneEventMissing,
  "single-ssrc": audio.checkSingleSsrc,
  ptime: audio.checkPtime,
  sendrecv: audio.checkSendrecv,
  "no-ice-lite": session.checkNoIceLite,
  "no-trickle": session.checkNoTrickle,
  "candidates-udp": session.checkCandidatesUdp,
  "candidates-readable": session.checkCandidatesReadable,
  "bundle-mid": session.checkBundleMid,
  "payload-types-offered": negotiation.checkPayloadTypesOffered,
  "mid-offered": negotiation.checkMidOffered,
  "not-the-offer": negotiation.checkNotTheOffer,
};
