import type { TransportAddress } from "../address.ts";
import type { CheckTransaction } from "./check-transactions.ts";

/**
 * RFC 8445 §6.1.2.6 without Frozen: with one component of one stream, freezing changes nothing but the order.
 * `waiting` is also where a pair returns to when its check is called off.
 */
export type PairState = "waiting" | "in-progress" | "succeeded" | "failed";

/** Our one base of an IP version, and an address of the peer. */
export class CandidatePair {
  readonly remote: TransportAddress;
  readonly localPriority: number;
  readonly remotePriority: number;
  /** The address is not of the peer's SDP: a check came from it (RFC 8445 §7.3.1.3). */
  readonly isPeerReflexive: boolean;
  state: PairState = "waiting";
  /** The check that is retransmitted; one at a time. */
  check: CheckTransaction | null = null;
  /** When the controlling peer last asked for this pair, to be used as soon as it is valid (RFC 8445 §7.3.1.5). */
  nominatedMs: number = Number.NEGATIVE_INFINITY;
  /** When the peer last answered over this pair. */
  lastResponseMs: number = Number.NEGATIVE_INFINITY;

  constructor(
    remote: TransportAddress,
    localPriority: number,
    remotePriority: number,
    isPeerReflexive: boolean,
  ) {
    this.remote = remote;
    this.localPriority = localPriority;
    this.remotePriority = remotePriority;
    this.isPeerReflexive = isPeerReflexive;
  }

  /** RFC 8445 §7.3.1.4: calls off the check; a late answer still counts. */
  cancelCheck(): void {
    this.check = null;
    if (this.state === "in-progress") this.state = "waiting";
  }
}

/**
 * RFC 8445 §6.1.2.3, best pair first: 2^32·MIN(G,D) + 2·MAX(G,D) + (G>D ? 1 : 0), G being the controlling side's
 * candidate. As priorities are below 2^31, comparing the three parts one after the other is the same, and exact.
 */
export function comparePairs(a: CandidatePair, b: CandidatePair, isControlling: boolean): number {
  const byMin = Math.min(b.localPriority, b.remotePriority) - Math.min(a.localPriority, a.remotePriority);
  if (byMin !== 0) return byMin;
  const byMax = Math.max(b.localPriority, b.remotePriority) - Math.max(a.localPriority, a.remotePriority);
  if (byMax !== 0) return byMax;
  return Number(hasRoleBit(b, isControlling)) - Number(hasRoleBit(a, isControlling));
}

function hasRoleBit(pair: CandidatePair, isControlling: boolean): boolean {
  return isControlling ? pair.localPriority > pair.remotePriority : pair.remotePriority > pair.localPriority;
}

/** RFC 8445 §5.1.2.1, component 1. IPv6 comes first, as RFC 8421 §4 advises. */
export function localPriority(type: "host" | "prflx", version: 4 | 6): number {
  const typePreference = type === "host" ? 126 : 110;
  const localPreference = version === 6 ? 65_535 : 65_534;
  return typePreference * 2 ** 24 + localPreference * 2 ** 8 + 255;
}
