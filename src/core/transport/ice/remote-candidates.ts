import { ipVersion } from "../../sdp/ip-version.ts";
import type { IceCandidate } from "../../sdp/model.ts";
import { canonicalAddress, isUnicast, type TransportAddress } from "../address.ts";

/** WhatsApp names two candidates, a browser behind many interfaces a dozen. */
export const MAX_REMOTE_CANDIDATES = 20;
/** RFC 8445 §5.1.2: priorities are below 2^31. */
export const MAX_PRIORITY = 0x7fff_ffff;

export interface RemoteCandidate {
  readonly at: TransportAddress;
  readonly priority: number;
}

/**
 * What can be checked of the peer's candidates: the first component over UDP, at an address of a version that we have
 * a socket for. Best first, each address once, `MAX_REMOTE_CANDIDATES` at most.
 */
export function usableCandidates(
  candidates: readonly IceCandidate[],
  ipVersions: readonly (4 | 6)[],
): readonly RemoteCandidate[] {
  const usable: RemoteCandidate[] = [];
  const known = new Set<string>();
  for (const candidate of candidates.toSorted((a, b) => b.priority - a.priority)) {
    const at = usableAddress(candidate, ipVersions);
    if (at === null || known.has(`${at.address} ${at.port}`)) continue;
    known.add(`${at.address} ${at.port}`);
    usable.push({ at, priority: Math.min(candidate.priority, MAX_PRIORITY) });
    if (usable.length === MAX_REMOTE_CANDIDATES) break;
  }
  return usable;
}

function usableAddress(candidate: IceCandidate, ipVersions: readonly (4 | 6)[]): TransportAddress | null {
  // RFC 5761: with rtcp-mux, component 1 carries everything.
  if (candidate.componentId !== 1 || candidate.transport !== "udp") return null;
  const address = canonicalAddress(candidate.address);
  // An SDP is not to make us send to groups, to a whole network, or, by the unspecified address, to ourselves.
  if (address === null || !isUnicast(address)) return null;
  const version = ipVersion(address);
  if (version === null || !ipVersions.includes(version)) return null;
  return candidate.port > 0 && candidate.port <= 0xffff ? { address, port: candidate.port } : null;
}
