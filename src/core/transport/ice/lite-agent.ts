import { isSameAddress, type TransportAddress } from "../address.ts";
import type { StunView } from "../stun/stun-view.ts";
import { CONSENT_EXPIRY_MS } from "./consent.ts";
import { isPreferredNomination } from "./nomination.ts";
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
  /** Of the selected address. */
  #nominatedMs: number = Number.NEGATIVE_INFINITY;
  #nominatedPriority = 0;

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
    const isSelected = selected !== null && isSameAddress(selected, from);
    if (isSelected || selected === null || isSilent || this.#isWanted(check, nowMs)) {
      this.#link.select(from);
      this.#selectedHeardMs = nowMs;
      if (check.useCandidate || !isSelected) this.#noteNomination(check, nowMs);
    }
    this.deadlineMs = nowMs + CONSENT_EXPIRY_MS;
  }

  #isWanted(check: StunView, nowMs: number): boolean {
    if (!check.useCandidate) return false;
    // We have no pairs: of the two candidates that make one, the peer's priority is what differs.
    return isPreferredNomination(nowMs - this.#nominatedMs, check.priority - this.#nominatedPriority);
  }

  #noteNomination(check: StunView, nowMs: number): void {
    this.#nominatedMs = check.useCandidate ? nowMs : Number.NEGATIVE_INFINITY;
    this.#nominatedPriority = check.priority;
  }

  /** @returns False: a lite agent has no questions. */
  onResponse(): boolean {
    return false;
  }

  /** The peer asks again, and is answered again. */
  onSendFailed(): void {}

  handleTimeout(nowMs: number): void {
    if (nowMs < this.deadlineMs) return;
    this.#link.end(this.#link.selected === null ? "no-pair" : "consent-expired");
  }
}
