import type { AudioDescription, DtlsSetup, Fingerprint } from "../core/sdp/model.ts";
import type { TransportAddress } from "../core/transport/address.ts";
import type { DtlsRole } from "../core/transport/dtls/dtls-association.ts";
import type { RemoteIce } from "../core/transport/ice/ice-agent.ts";
import { usableCandidates } from "../core/transport/ice/remote-candidates.ts";
import { transportFailed } from "./transport-error.ts";

/** What a leg needs of its peer's SDP. */
export interface TransportRemote {
  readonly ice: RemoteIce;
  readonly fingerprints: readonly Fingerprint[];
  /** Of the candidates that checks go to. */
  readonly addresses: readonly TransportAddress[];
}

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
  return {
    ice: {
      ufrag: description.iceUfrag,
      pwd: description.icePwd,
      isLite: description.iceLite,
      candidates: description.candidates,
    },
    fingerprints,
    addresses: usableCandidates(description.candidates, ipVersions).map(({ at }) => at),
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
