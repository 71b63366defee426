import { isSameAddress, type TransportAddress } from "../address.ts";
import { type CandidatePair, comparePairs } from "./candidate-pair.ts";
import { MAX_PEER_ADDRESSES } from "./peer-addresses.ts";

/** The pairs and the order in which they are checked (RFC 8445 §6.1.2, §6.1.4). */
export class CheckList {
  /** Best first. */
  readonly pairs: CandidatePair[] = [];
  /** RFC 8445 §6.1.4.1: checks that the peer's own have caused, first come first served. */
  readonly #triggered: CandidatePair[] = [];
  #isControlling: boolean;

  constructor(isControlling: boolean) {
    this.#isControlling = isControlling;
  }

  /**
   * RFC 8445 §6.1.2.3: priorities depend on the role.
   *
   * @returns True when it has changed.
   */
  sortFor(isControlling: boolean): boolean {
    if (isControlling === this.#isControlling) return false;
    this.#isControlling = isControlling;
    this.#sort();
    return true;
  }

  find(remote: TransportAddress): CandidatePair | null {
    for (const pair of this.pairs) if (isSameAddress(pair.remote, remote)) return pair;
    return null;
  }

  /**
   * Adds a pair. When there are too many peer-reflexive ones, that with the oldest answer goes, but never `keep`.
   *
   * @returns The pair that had to go, null when there was room.
   */
  add(pair: CandidatePair, keep: CandidatePair | null): CandidatePair | null {
    const removed = pair.isPeerReflexive ? this.#makeRoom(keep) : null;
    this.pairs.push(pair);
    this.#sort();
    return removed;
  }

  trigger(pair: CandidatePair): void {
    if (!this.#triggered.includes(pair)) this.#triggered.push(pair);
  }

  /** RFC 8445 §6.1.4.2: what to check next; null when there is nothing. Ordinary checks are those nobody triggered. */
  next(options: { readonly withOrdinary: boolean }): CandidatePair | null {
    const triggered = this.#triggered[0];
    if (triggered !== undefined) return triggered;
    return options.withOrdinary ? (this.pairs.find((pair) => pair.state === "waiting") ?? null) : null;
  }

  /** Its check goes out, or is needed no more. */
  untrigger(pair: CandidatePair): void {
    const index = this.#triggered.indexOf(pair);
    if (index >= 0) this.#triggered.splice(index, 1);
  }

  /** RFC 8445 §8.1.2: with a pair nominated, the other pairs' checks are called off. */
  concludeWith(nominated: CandidatePair): void {
    this.#triggered.length = 0;
    for (const pair of this.pairs) if (pair !== nominated) pair.cancelCheck();
  }

  /** The best valid pair that has answered since `sinceMs`, other than `except`. */
  bestValid(except: CandidatePair, sinceMs: number): CandidatePair | null {
    for (const pair of this.pairs) {
      if (pair !== except && pair.state === "succeeded" && pair.lastResponseMs > sinceMs) return pair;
    }
    return null;
  }

  get hasAllFailed(): boolean {
    return this.pairs.every((pair) => pair.state === "failed");
  }

  #makeRoom(keep: CandidatePair | null): CandidatePair | null {
    let count = 0;
    let oldest: CandidatePair | null = null;
    for (const pair of this.pairs) {
      if (!pair.isPeerReflexive) continue;
      count += 1;
      const isOlder = oldest === null || pair.lastResponseMs < oldest.lastResponseMs;
      if (pair !== keep && isOlder) oldest = pair;
    }
    if (count < MAX_PEER_ADDRESSES || oldest === null) return null;
    this.pairs.splice(this.pairs.indexOf(oldest), 1);
    this.untrigger(oldest);
    return oldest;
  }

  #sort(): void {
    this.pairs.sort((a, b) => comparePairs(a, b, this.#isControlling));
  }
}
