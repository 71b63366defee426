import { RingbackError } from "../../errors.ts";
import { isSha256Hash } from "./audio-facts.ts";
import { ipVersion } from "./ip-version.ts";
import type { IceCandidate, LocalAudio } from "./model.ts";
import { SDP_LIMITS } from "./sdp-limits.ts";

/** Nothing may reach the text that could end a line or be read as another field. */
export function assertLocalAudio(local: LocalAudio): void {
  // RFC 8839 §5.4, ice-char. WhatsApp's own "=" is taken from the peer, but not sent.
  assertOption("iceUfrag", /^[A-Za-z0-9+/]{4,256}$/.test(local.iceUfrag), "4 to 256 letters, digits, + or /");
  assertOption("icePwd", /^[A-Za-z0-9+/]{22,256}$/.test(local.icePwd), "22 to 256 letters, digits, + or /");
  const isHash = isSha256Hash(local.sha256Fingerprint.toUpperCase());
  assertOption("sha256Fingerprint", isHash, "32 pairs of hex digits with colons between");
  assertOption("ssrc", isInteger(local.ssrc, 0, 0xffffffff), "an unsigned 32-bit integer");
  assertOption(
    "cname",
    /^[A-Za-z0-9!#$%&'*+./@^_`{|}~-]{1,128}$/.test(local.cname),
    "1 to 128 characters without space",
  );
  assertOption("sessionId", /^\d{1,19}$/.test(local.sessionId), "1 to 19 digits");
  const isFew = local.candidates.length <= SDP_LIMITS.candidates;
  assertOption("candidates", isFew, `at most ${SDP_LIMITS.candidates}`);
  assertOption(
    "candidates",
    local.candidates.every(isCandidate),
    "UDP candidates with an IP address and a port",
  );
}

function isCandidate(candidate: IceCandidate): boolean {
  return (
    candidate.transport === "udp" &&
    /^[A-Za-z0-9+/]{1,32}$/.test(candidate.foundation) &&
    isInteger(candidate.componentId, 1, 256) &&
    isInteger(candidate.priority, 1, 0x7fffffff) &&
    isInteger(candidate.port, 1, 65_535) &&
    ipVersion(candidate.address) !== null &&
    /^(?:host|[sp]rflx|relay)$/.test(candidate.type)
  );
}

export function isInteger(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

/** The message names the option and what would be right, never the value: it may be a secret. */
export function assertOption(option: string, isRight: boolean, right: string): void {
  if (isRight) return;
  throw new RingbackError("OPTION_INVALID", `${option} must be ${right}.`, { details: { option } });
}
