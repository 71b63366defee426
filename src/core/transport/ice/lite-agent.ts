import { isSameAddress, type TransportAddress } from "../address.ts";
import type { StunView } from "../stun/stun-view.ts";
import { CONSENT_EXPIRY_MS } from "./consent.ts";
import { GIVE_UP_MS, type PeerLink } from "./peer-link.ts";

/**
 * Longer than RFC 7675's longest interval between two checks: a selected address that has been silent for this long,
 * while the peer's checks come from another one, is not the peer's any more.
 */
export const LITE_SILENCE_MS = 6_500;

/** The lite role of RFC 8445 §2.5: it answers checks, sends none, and lets the peer nominate. */
export class LiteAgent {
  /** A lite agent asks nothing, and cannot know. */
  readonly rttMs = null;
  deadlineMs: number = Number.POSITIVE_INFINITY;
  readonly #link: PeerLink;
  #selectedHeardMs = 0;

  constructor(link: PeerLink) {
    this.#link = link;
  }

  start(nowMs: number): void {
    this.deadlineMs = nowMs + GIVE_UP_MS;
  }

  /** The peer's check, authenticated and answered: RFC 8445 §7.3.2. */
  onCheck(check: StunView, from: TransportAddress, nowMs: number): void {
    const selected = this.#link.selected;
    // A peer whose NAT has given it another address does not know, and does not always nominate anew.
    const isSilent = nowMs - this.#selectedHeardMs >= LITE_SILENCE_MS;
    if (selected === null || check.useCandidate || isSilent) this.#link.select(from);
    if (this.#link.selected !== null && isSameAddress(this.#link.selected, from))
      this.#selectedHeardMs = nowMs;
    this.deadlineMs = nowMs + CONSENT_EXPIRY_MS;
  }

  /** @returns False: a lite agent has no questions. */
  onResponse(): boolean {
    return false;
  }

  handleTimeout(nowMs: number): void {
    if (nowMs < this.deadlineMs) return;
    this.#link.end(this.#link.selected === null ? "no-pair" : "consent-expired");
  }
}
