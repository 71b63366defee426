import type { AudioDescription, Fingerprint } from "../../../src/core/sdp/model.ts";
import { RingbackError } from "../../../src/errors.ts";

/** Hashes that libdatachannel can compare a certificate with, the ones it prefers first. */
const ALGORITHMS = ["sha-256", "sha-384", "sha-512", "sha-1"];

/**
 * The remote offer in the words that libdatachannel reads: what it needs and nothing else.
 *
 * It holds no candidates, so that libdatachannel has nowhere to send to before it is given one.
 *
 * @throws {RingbackError} `MEDIA_ENGINE_FAILED` when no fingerprint is of a known kind.
 */
export function toRemoteOffer(offer: AudioDescription): string {
  const { algorithm, value } = pickFingerprint(offer.fingerprints);
  const payloadTypes = [offer.opus.payloadType];
  if (offer.telephoneEvent !== null) payloadTypes.push(offer.telephoneEvent.payloadType);
  const lines = [
    "v=0",
    "o=- 1 1 IN IP4 127.0.0.1",
    "s=-",
    "t=0 0",
    `a=group:BUNDLE ${offer.mid}`,
    ...(offer.iceLite ? ["a=ice-lite"] : []),
    `m=audio 9 UDP/TLS/RTP/SAVPF ${payloadTypes.join(" ")}`,
    "c=IN IP4 0.0.0.0",
    `a=mid:${offer.mid}`,
    `a=ice-ufrag:${offer.iceUfrag}`,
    `a=ice-pwd:${offer.icePwd}`,
    `a=fingerprint:${algorithm} ${value}`,
    `a=setup:${offer.setup}`,
    "a=sendrecv",
    "a=rtcp-mux",
    `a=rtpmap:${offer.opus.payloadType} opus/48000/2`,
    ...(offer.telephoneEvent === null
      ? []
      : [`a=rtpmap:${offer.telephoneEvent.payloadType} telephone-event/8000`]),
  ];
  return `${lines.join("\r\n")}\r\n`;
}

function pickFingerprint(fingerprints: readonly Fingerprint[]): Fingerprint {
  for (const algorithm of ALGORITHMS) {
    const found = fingerprints.find((fingerprint) => fingerprint.algorithm.toLowerCase() === algorithm);
    if (found !== undefined) return { algorithm, value: found.value };
  }
  throw new RingbackError(
    "MEDIA_ENGINE_FAILED",
    `The peer's SDP has no certificate fingerprint of a known kind (${ALGORITHMS.join(", ")}).`,
    { details: { engine: "datachannel", reason: "no usable fingerprint" } },
  );
}
