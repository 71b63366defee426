import { isOpus, isSha256Hash, isTelephoneEvent } from "./audio-facts.ts";
import { type Check, type Flaw, flawIf, ofAudio, quote } from "./check.ts";
import type { Located } from "./sdp-document.ts";

const profile = "UDP/TLS/RTP/SAVPF";

export const checkAudioPort: Check = ofAudio(({ media }) => {
  return flawIf(media.port === 0, media.line, "The port is 0: the section is rejected.");
});

export const checkNoSdes: Check = ofAudio(({ media, attributes, isSdes }) => {
  const lines = (attributes.get("crypto") ?? []).map(({ line }) => line);
  if (isSdes && lines.length === 0) lines.push(media.line);
  return lines.map((line) => ({ line, message: "The line belongs to SDES key exchange." }));
});

export const checkAudioProfile: Check = ofAudio(({ media, isSdes }) => {
  return flawIf(!isSdes && media.profile !== profile, media.line, `The profile is ${quote(media.profile)}.`);
});

export const checkRtcpMux: Check = ofAudio(({ media, isRtcpMux }) => {
  return flawIf(!isRtcpMux, media.line, "The audio section has no a=rtcp-mux.");
});

export const checkIceCredentials: Check = ofAudio(({ media, iceUfrag, icePwd, isSdes }) => {
  if (isSdes) return [];
  return [
    ...credentialFlaws("a=ice-ufrag", iceUfrag, 4, media.line),
    ...credentialFlaws("a=ice-pwd", icePwd, 22, media.line),
  ];
});

function credentialFlaws(
  name: string,
  credential: Located<string> | null,
  leastChars: number,
  mediaLine: number,
): readonly Flaw[] {
  if (credential === null) return [{ line: mediaLine, message: `There is no ${name}.` }];
  const isUsable = isIceCredential(credential.value, leastChars);
  return flawIf(
    !isUsable,
    credential.line,
    `The value of ${name} is masked, too short or no ICE credential.`,
  );
}

/** RFC 8839 §5.4 allows letters, digits, + and /. WhatsApp's own passwords end with =, some stacks use - and _. */
export function isIceCredential(value: string, leastChars: number): boolean {
  return value.length >= leastChars && value.length <= 256 && /^[A-Za-z0-9+/=_-]*$/.test(value);
}

export const checkFingerprintPresent: Check = ofAudio(({ media, everyFingerprint, isSdes }) => {
  return flawIf(!isSdes && everyFingerprint.length === 0, media.line, "There is no a=fingerprint.");
});

export const checkFingerprintSha256: Check = ofAudio(({ everyFingerprint }) => {
  return everyFingerprint
    .filter(({ value }) => value.algorithm !== "sha-256")
    .map(({ value, line }) => ({
      line,
      message: `The fingerprint's algorithm is ${quote(value.algorithm)}.`,
    }));
});

export const checkFingerprintValue: Check = ofAudio(({ everyFingerprint }) => {
  return everyFingerprint
    .filter(({ value }) => value.algorithm === "sha-256" && !isSha256Hash(value.value))
    .map(({ line }) => ({ line, message: "The fingerprint is not 32 bytes in hex." }));
});

export const checkFingerprintSingle: Check = ofAudio(({ everyFingerprint }) => {
  return everyFingerprint
    .filter(({ value }) => value.algorithm === "sha-256")
    .slice(1)
    .map(({ line }) => ({ line, message: "The line is a further sha-256 fingerprint." }));
});

export const checkOpus: Check = ofAudio(({ media, codecs }) => {
  const opus = codecs.find(isOpus);
  if (opus === undefined)
    return [{ line: media.line, message: "No payload type of the m= line is opus/48000/2." }];
  return flawIf(opus.channels !== 2, opus.line, "Opus is not written with two channels.");
});

export const checkTelephoneEventClock: Check = ofAudio(({ codecs }) => {
  const events = codecs.filter(isTelephoneEvent);
  if (events.some(({ clockRateHz }) => clockRateHz === 8_000)) return [];
  return events.map(({ line, clockRateHz }) => ({
    line,
    message: `telephone-event is at ${clockRateHz} Hz alone.`,
  }));
});

export const checkSingleSsrc: Check = ofAudio(({ ssrcs }) => {
  return ssrcs.slice(1).map(({ line }) => ({ line, message: "The line announces a further SSRC." }));
});

export const checkPtime: Check = ofAudio(({ ptimes }) => {
  return ptimes
    .filter(({ value }) => Number(value) !== 20)
    .map(({ value, line }) => ({ line, message: `The packet time is ${quote(value)}, not 20 ms.` }));
});

export const checkSendrecv: Check = ofAudio(({ directions }) => {
  return directions
    .filter(({ value }) => value !== "sendrecv")
    .map(({ value, line }) => ({ line, message: `The direction is ${value}.` }));
});
