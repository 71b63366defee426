import { ipVersion } from "../core/sdp/ip-version.ts";
import type { DtlsSetup, IceCandidate, LocalAudio } from "../core/sdp/model.ts";
import type { IceCredentials } from "../core/transport/ice/ice-agent.ts";
import { type Random, randomUint32 } from "../platform/random.ts";

/** RFC 8445 §5.1.2.1, for host candidates of component 1. */
const HOST_TYPE_PREFERENCE = 126;
const COMPONENT_ID = 1;

/** RFC 8839 §5.4: 24 bits of ufrag and 128 of password at least, in base64's own characters. */
export function createIceCredentials(random: Random): IceCredentials {
  const base64 = (bytes: number): string => Buffer.from(random(bytes)).toString("base64");
  return { ufrag: base64(6), pwd: base64(18) };
}

/** Host candidates, preferred in the order of the addresses (RFC 8445 §5.1.2). */
export function hostCandidates(addresses: readonly string[], port: number): IceCandidate[] {
  return addresses.map((address, index) => ({
    foundation: String(index + 1),
    componentId: COMPONENT_ID,
    transport: "udp",
    priority: HOST_TYPE_PREFERENCE * 2 ** 24 + (65_535 - index) * 2 ** 8 + (256 - COMPONENT_ID),
    address,
    port,
    type: "host",
  }));
}

/** The addresses to announce: `publicAddress` in the place of all of its IP version, as a router with 1:1 NAT does it. */
export function announcedAddresses(
  hostAddresses: readonly string[],
  publicAddress: string | null,
): readonly string[] {
  if (publicAddress === null) return hostAddresses;
  const version = ipVersion(publicAddress);
  return [
    ...new Set(hostAddresses.map((address) => (ipVersion(address) === version ? publicAddress : address))),
  ];
}

export interface LocalAudioParts {
  readonly credentials: IceCredentials;
  readonly sha256Fingerprint: string;
  readonly setup: DtlsSetup;
  readonly candidates: readonly IceCandidate[];
  readonly random: Random;
}

/** One call's own parameters, with what is random in them. */
export function createLocalAudio(parts: LocalAudioParts): LocalAudio {
  const { credentials, sha256Fingerprint, setup, candidates, random } = parts;
  return {
    iceUfrag: credentials.ufrag,
    icePwd: credentials.pwd,
    sha256Fingerprint,
    setup,
    candidates,
    ssrc: randomUint32(random),
    cname: Buffer.from(random(12)).toString("base64url"),
    // RFC 8866 §5.2: numeric; 31 bits keep every parser content.
    sessionId: String(randomUint32(random) >>> 1),
  };
}
