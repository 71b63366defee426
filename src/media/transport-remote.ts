import { ipVersion } from "../core/sdp/ip-version.ts";
import type { AudioDescription, DtlsSetup, Fingerprint, IceCandidate } from "../core/sdp/model.ts";
import { canonicalAddress, type TransportAddress } from "../core/transport/address.ts";
import type { DtlsRole } from "../core/transport/dtls/dtls-association.ts";
import type { RemoteIce } from "../core/transport/ice/ice-agent.ts";
import { transportFailed } from "./transport-error.ts";

/** What a leg needs of its peer's SDP. */
export interface TransportRemote {
  readonly ice: RemoteIce;
  readonly fingerprints: readonly Fingerprint[];
  /** Of the candidates. */
  readonly addresses: readonly TransportAddress[];
}

/** Each is a pair to check; WhatsApp names two or three. */
const MAX_CANDIDATES = 20;

/** RFC 8122 §5, but those that collisions are known of. */
const TRUSTED_HASHES = ["sha-256", "sha-384", "sha-512"];

/** @throws {RingbackError} `MEDIA_ENGINE_FAILED` when it has no fingerprint that a certificate can be checked by. */
export function readTransportRemote(
  description: AudioDescription,
  ipVersions: readonly (4 | 6)[],
): TransportRemote {
  const fingerprints = description.fingerprints.filter(({ algorithm }) =>
    TRUSTED_HASHES.includes(algorithm.toLowerCase()),
  );
  if (fingerprints.length === 0) {
    throw transportFailed(
      `The peer's SDP has no certificate fingerprint of a known kind (${TRUSTED_HASHES.join(", ")}).`,
      "no usable fingerprint",
    );
  }
  const candidates = usableCandidates(description.candidates, ipVersions);
  return {
    ice: {
      ufrag: description.iceUfrag,
      pwd: description.icePwd,
      isLite: description.iceLite,
      candidates,
    },
    fingerprints,
    addresses: candidates.map(({ address, port }) => ({ address, port })),
  };
}

/**
 * What the offerer makes of the answer's `a=setup`.
 * @throws {RingbackError} `MEDIA_ENGINE_FAILED` for `actpass`, which RFC 5763 §5 does not let an answer say.
 */
export function offererRole(answered: DtlsSetup): DtlsRole {
  if (answered === "actpass") {
    throw transportFailed("The peer's answer must say setup:active or setup:passive.", "no usable setup");
  }
  return answered === "active" ? "server" : "client";
}

/**
 * The candidates that a check can go to, spelled as sockets do. Component 2 is RTCP without mux, TCP needs a listener,
 * and a host name would be asked of some DNS server.
 */
function usableCandidates(
  candidates: readonly IceCandidate[],
  ipVersions: readonly (4 | 6)[],
): readonly IceCandidate[] {
  const usable: IceCandidate[] = [];
  for (const candidate of candidates) {
    if (candidate.transport !== "udp" || candidate.componentId !== 1 || candidate.port === 0) continue;
    const address = canonicalAddress(candidate.address);
    if (address === null || !ipVersions.some((version) => version === ipVersion(address))) continue;
    usable.push({ ...candidate, address });
    if (usable.length === MAX_CANDIDATES) break;
  }
  return usable;
}
