import { RingbackError } from "../../errors.ts";
import { isIceCredential } from "./audio-checks.ts";
import { type AudioFacts, collectAudioFacts, isOpus, isSha256Hash, isTelephoneEvent } from "./audio-facts.ts";
import type { AudioDescription, DtlsSetup, Fingerprint, IceCandidate } from "./model.ts";
import { isDtlsSetup } from "./negotiation-checks.ts";
import { parseSdp } from "./parse-sdp.ts";
import type { Located } from "./sdp-document.ts";
import { SDP_LIMITS } from "./sdp-limits.ts";
import type { SdpRole, SdpRuleId } from "./sdp-rule.ts";

export interface ReadOptions {
  /** What the text is: an answer must have settled its DTLS role. */
  readonly as: SdpRole;
}

/**
 * Reads the peer's side of a call from its SDP.
 *
 * Takes what WhatsApp sends and what no call needs to fail for: several fingerprints, missing BUNDLE or c= lines,
 * unknown attributes. TCP and malformed candidates are left out, and those beyond the first 32.
 *
 * @throws {RingbackError} `SDP_INVALID` for text that is no SDP; `SDP_UNUSABLE` with the id of a rule when no call
 * can be made of it; nothing else for any string.
 */
export function readAudioDescription(text: string, options: ReadOptions): AudioDescription {
  const facts = collectAudioFacts(parseSdp(text));
  if (facts === null) throw unusable("audio-present", null, "it has no audio section");
  assertTransport(facts);
  return {
    mid: readMid(facts),
    isBundled: isBundled(facts),
    iceUfrag: readCredential(facts, facts.iceUfrag, 4),
    icePwd: readCredential(facts, facts.icePwd, 22),
    iceLite: facts.iceLiteLines.length > 0,
    fingerprints: readFingerprints(facts),
    setup: readSetup(facts, options.as),
    candidates: readCandidates(facts.candidates),
    opus: readOpus(facts),
    telephoneEvent: readTelephoneEvent(facts),
    ssrc: facts.ssrcs[0]?.value ?? null,
  };
}

function unusable(rule: SdpRuleId, line: number | null, problem: string): RingbackError<"SDP_UNUSABLE"> {
  return new RingbackError("SDP_UNUSABLE", `No call can be made of the SDP: ${problem}.`, {
    details: { rule, line },
  });
}

function assertTransport({ media, isSdes, isRtcpMux }: AudioFacts): void {
  if (media.port === 0) throw unusable("audio-port", media.line, "the audio section is rejected (port 0)");
  if (isSdes) {
    const mend = "set srtp_key_exchange_protocol to DTLS in the call settings of the phone number";
    throw unusable("no-sdes", media.line, `its keys come by SDES (a=crypto); ${mend}`);
  }
  // RTP/SAVPF with a fingerprint is how WebRTC stacks wrote DTLS-SRTP before RFC 5764's name was in use.
  if (!/^(?:UDP\/TLS\/)?RTP\/SAVPF?$/.test(media.profile)) {
    throw unusable("audio-profile", media.line, "the profile is not UDP/TLS/RTP/SAVPF");
  }
  if (!isRtcpMux) throw unusable("rtcp-mux", media.line, "RTCP is not multiplexed with RTP (a=rtcp-mux)");
}

function readMid({ mid }: AudioFacts): string {
  const value = mid?.value ?? "";
  // RFC 5888 §4: the value is a token.
  if (value !== "" && !isMid(value))
    throw unusable("mid-offered", mid?.line ?? null, "its a=mid is no token");
  return value;
}

function isBundled({ session, mid }: AudioFacts): boolean {
  return (session.get("group") ?? []).some(({ value }) => {
    const [semantics, ...mids] = value.split(" ");
    return semantics === "BUNDLE" && mid !== null && mids.includes(mid.value);
  });
}

/** RFC 8866 §9, token; 64 characters are far more than any stack writes. */
export function isMid(value: string): boolean {
  return /^[A-Za-z0-9!#$%&'*+.^_`{|}~-]{1,64}$/.test(value);
}

function readCredential(facts: AudioFacts, credential: Located<string> | null, leastChars: number): string {
  if (credential !== null && isIceCredential(credential.value, leastChars)) return credential.value;
  const line = credential?.line ?? facts.media.line;
  throw unusable("ice-credentials", line, "the ICE user name or password is missing, masked or too short");
}

function readFingerprints({ media, fingerprints }: AudioFacts): readonly Fingerprint[] {
  const [first] = fingerprints;
  if (first === undefined)
    throw unusable("fingerprint-present", media.line, "it has no certificate fingerprint");
  const sha256 = fingerprints.filter(({ value }) => value.algorithm === "sha-256");
  if (sha256.length === 0 && !first.value.algorithm.includes("*")) {
    throw unusable("fingerprint-sha256", first.line, "it has no sha-256 fingerprint");
  }
  if (!sha256.some(({ value }) => isSha256Hash(value.value))) {
    throw unusable("fingerprint-value", first.line, "its fingerprint is malformed or masked");
  }
  return fingerprints
    .map(({ value }) => value)
    .filter(({ algorithm, value }) => (algorithm === "sha-256" ? isSha256Hash(value) : isHash(value)))
    .slice(0, SDP_LIMITS.fingerprints);
}

function isHash(value: string): boolean {
  return value.length <= 191 && /^[0-9A-F]{2}(?::[0-9A-F]{2})*$/.test(value);
}

function readSetup({ media, setup }: AudioFacts, as: SdpRole): DtlsSetup {
  const rule = as === "answer" ? "setup-answer" : "setup-offer";
  if (!isDtlsSetup(setup?.value)) {
    throw unusable(rule, setup?.line ?? media.line, "a=setup is missing or none of active, passive, actpass");
  }
  if (as === "answer" && setup?.value === "actpass") {
    throw unusable(rule, setup.line, "an answer must choose between a=setup:active and a=setup:passive");
  }
  return setup.value;
}

function readCandidates(candidates: AudioFacts["candidates"]): readonly IceCandidate[] {
  return candidates
    .flatMap(({ value }) => (value?.transport === "udp" ? value : []))
    .slice(0, SDP_LIMITS.candidates);
}

function readOpus({ media, codecs }: AudioFacts): AudioDescription["opus"] {
  const opus = codecs.find(isOpus);
  if (opus === undefined) throw unusable("opus", media.line, "it has no Opus (opus/48000/2)");
  return { payloadType: opus.payloadType, parameters: opus.parameters };
}

function readTelephoneEvent({ codecs }: AudioFacts): AudioDescription["telephoneEvent"] {
  const event = codecs.find((codec) => isTelephoneEvent(codec) && codec.clockRateHz === 8_000);
  return event === undefined ? null : { payloadType: event.payloadType };
}
