import type { Random } from "../../random.ts";
import { ipVersion } from "../../sdp/ip-version.ts";
import { isSameAddress, type TransportAddress } from "../address.ts";
import type { StunView } from "../stun/stun-view.ts";
import { CandidatePair, comparePairs, localPriority } from "./candidate-pair.ts";
import { CheckList } from "./check-list.ts";
import type { CheckSender } from "./check-sender.ts";
import { type CheckTransaction, CheckTransactions } from "./check-transactions.ts";
import { CONSENT_RETRY_MS, Consent } from "./consent.ts";
import type { IceRole } from "./ice-role.ts";
import { isPreferredNomination } from "./nomination.ts";
import { GIVE_UP_MS, type PeerLink } from "./peer-link.ts";
import { MAX_PRIORITY, type RemoteCandidate } from "./remote-candidates.ts";

/** Ta, RFC 8445 §14.2: between the first sends of two checks. */
export const PACING_MS = 50;
/** A valid pair that has been silent for longer is checked again before it is used. */
const FRESH_MS = 5_000;
/** A pair that is to replace the selected one has answered within this time: since that one was first doubted. */
const RESCUE_MS = 3_000;

/** The full role of RFC 8445: it checks, nominates or follows, and keeps the peer's consent. */
export class FullAgent {
  /** Round trip of the latest check that was answered at its first send; null before there is one. */
  rttMs: number | null = null;
  deadlineMs: number = Number.POSITIVE_INFINITY;

  readonly #link: PeerLink;
  readonly #role: IceRole;
  readonly #sender: CheckSender;
  readonly #isPeerLite: boolean;
  readonly #list: CheckList;
  readonly #transactions: CheckTransactions;
  readonly #consent: Consent;
  #startedMs = 0;
  /** When the next first send is allowed. */
  #pacedMs = 0;
  #selected: CandidatePair | null = null;
  /** Controlling: sent with USE-CANDIDATE. Controlled: the peer did, and it is valid. */
  #nominated: CandidatePair | null = null;

  constructor(
    options: {
      readonly role: IceRole;
      readonly isPeerLite: boolean;
      readonly candidates: readonly RemoteCandidate[];
      readonly random: Random;
    },
    sender: CheckSender,
    link: PeerLink,
  ) {
    this.#link = link;
    this.#role = options.role;
    this.#sender = sender;
    this.#isPeerLite = options.isPeerLite;
    this.#list = new CheckList(options.role.isControlling);
    this.#transactions = new CheckTransactions(options.random);
    this.#consent = new Consent(options.random);
    for (const candidate of options.candidates) {
      const priority = localPriority("host", ipVersion(candidate.at.address) ?? 4);
      this.#list.add(new CandidatePair(candidate.at, priority, candidate.priority, false), null);
    }
  }

  start(nowMs: number): void {
    this.#startedMs = nowMs;
    this.#pacedMs = nowMs;
    this.handleTimeout(nowMs);
  }

  /** Does what is due. Early or repeated calls do no harm. */
  handleTimeout(nowMs: number): void {
    if (nowMs >= this.#endMs) this.#link.end(this.#selected === null ? "no-pair" : "consent-expired");
    else this.#proceed(nowMs);
  }

  /**
   * The system has refused to send there, as for an address that no route leads to. The check is repeated all the same, as
   * routes come back; but nothing went out that the next one must keep its distance from.
   */
  onSendFailed(to: TransportAddress, nowMs: number): void {
    if (this.#list.find(to)?.check?.sends !== 1) return;
    this.#pacedMs = nowMs;
    this.#proceed(nowMs);
  }

  /** The peer's check, authenticated and answered: RFC 8445 §7.3.1.3 to §7.3.1.5. */
  onCheck(check: StunView, from: TransportAddress, nowMs: number): void {
    this.#followRole();
    const pair = this.#list.find(from) ?? this.#learn(check, from);
    if (check.useCandidate && !this.#role.isControlling) pair.nominatedMs = nowMs;
    const isValid =
      pair.state === "succeeded" && (pair === this.#selected || nowMs - pair.lastResponseMs < FRESH_MS);
    if (!isValid) this.#list.trigger(pair);
    else if (this.#isWanted(pair)) this.#follow(pair, nowMs);
    this.#proceed(nowMs);
  }

  /** @returns False when the response is not to one of our checks, or proves nothing; nothing has changed then. */
  onResponse(response: StunView, from: TransportAddress, nowMs: number): boolean {
    const transaction = this.#transactions.find(response);
    // RFC 8445 §7.2.5.2.1: an answer from elsewhere does not prove the path that was asked for.
    if (transaction === null || !isSameAddress(from, transaction.pair.remote)) return false;
    if (!this.#sender.isAuthentic(response)) return false;
    const isSuccess = response.messageClass === "success";
    if (isSuccess ? !response.hasMappedAddress : response.errorCode === 0) return false;
    this.#transactions.close(transaction);
    this.#link.stats.responsesReceived += 1;
    if (isSuccess) this.#onSuccess(transaction, nowMs);
    else this.#onError(transaction, response.errorCode, nowMs);
    this.#proceed(nowMs);
    return true;
  }

  /** RFC 8445 §7.3.1.3: the peer is at an address that its SDP does not name. */
  #learn(check: StunView, from: TransportAddress): CandidatePair {
    const at = { address: from.address, port: from.port };
    const ours = localPriority("host", ipVersion(from.address) ?? 4);
    const pair = new CandidatePair(at, ours, Math.min(check.priority, MAX_PRIORITY), true);
    const removed = this.#list.add(pair, this.#selected);
    if (removed !== null) this.#transactions.closeAll(removed);
    return pair;
  }

  #onSuccess(transaction: CheckTransaction, nowMs: number): void {
    const pair = transaction.pair;
    if (transaction.sends === 1) this.rttMs = nowMs - transaction.sentAtMs;
    // A nomination on its way goes on until a check that nominates is answered.
    if (transaction.isNominating || pair.check?.isNominating !== true) pair.check = null;
    this.#list.untrigger(pair);
    pair.state = "succeeded";
    pair.lastResponseMs = nowMs;
    this.#link.prove(pair.remote);
    if (pair === this.#selected) this.#consent.onAnswer(nowMs);
    if (this.#isWanted(pair)) this.#follow(pair, nowMs);
    else if (this.#nominated === null) this.#consider(pair, nowMs);
    else if (pair !== this.#selected) this.#doubtSelected(nowMs);
  }

  /** Before a nomination: media starts on the first valid pair, RFC 8445 §12.1. */
  #consider(pair: CandidatePair, nowMs: number): void {
    if (this.#selected?.state !== "succeeded") this.#select(pair, nowMs);
  }

  /**
   * The peer answers over another pair than the nominated one. Either it has several, or its NAT has given it a new
   * address, of which it does not know and which it does not nominate: the selected pair's silence will tell.
   */
  #doubtSelected(nowMs: number): void {
    const answeredMs = this.#selected?.lastResponseMs ?? nowMs;
    if (nowMs - answeredMs >= CONSENT_RETRY_MS) this.#consent.askNow(nowMs);
  }

  #onError(transaction: CheckTransaction, errorCode: number, nowMs: number): void {
    const pair = transaction.pair;
    if (errorCode === 487 && this.#role.yieldTo487(transaction.isControlling)) {
      // RFC 8445 §7.2.5.1: the same pair again, in the other role.
      pair.cancelCheck();
      this.#followRole();
      this.#list.trigger(pair);
    } else if (pair.check === transaction) {
      this.#fail(pair, nowMs);
    }
  }

  /** After a role conflict, the side that now controls nominates anew. */
  #followRole(): void {
    if (!this.#list.sortFor(this.#role.isControlling)) return;
    this.#nominated = null;
    for (const pair of this.#list.pairs) pair.nominatedMs = Number.NEGATIVE_INFINITY;
  }

  /** No answer (RFC 8445 §7.2.5.2.3) or an error (§7.2.5.2.4). A nominated pair that fails makes room for the next best (§8.1.1). */
  #fail(pair: CandidatePair, nowMs: number): void {
    pair.check = null;
    pair.state = "failed";
    if (pair !== this.#nominated || !this.#role.isControlling) return;
    this.#nominated = null;
    const next = this.#list.bestValid(pair, Number.NEGATIVE_INFINITY);
    if (next !== null) this.#select(next, nowMs);
  }

  /**
   * Does what is due, but for the end by lapse of time: after a standstill of the program, the answer that prevents it may lie
   * behind the message that is being looked at.
   */
  #proceed(nowMs: number): void {
    this.#retransmit(nowMs);
    this.#nominateSelected(nowMs);
    this.#sendNextCheck(nowMs);
    this.#keepConsent(nowMs);
    this.#giveUpWhenHopeless();
    this.#updateDeadline();
  }

  #retransmit(nowMs: number): void {
    for (const pair of this.#list.pairs) {
      const check = pair.check;
      if (check === null || nowMs < check.dueMs) continue;
      if (check.isControlling !== this.#role.isControlling) {
        this.#check(pair, nowMs);
      } else if (check.isExhausted) {
        this.#transactions.close(check);
        this.#fail(pair, nowMs);
      } else {
        check.onResent(nowMs);
        this.#sender.send(check);
      }
    }
  }

  #sendNextCheck(nowMs: number): void {
    if (nowMs < this.#pacedMs) return;
    const pair = this.#nextToCheck();
    if (pair === null) return;
    this.#pacedMs = nowMs + PACING_MS;
    this.#check(pair, nowMs);
  }

  #nextToCheck(): CandidatePair | null {
    return this.#list.next({ withOrdinary: this.#nominated === null });
  }

  /** One check of a pair in flight: a new one takes the place of the old one. */
  #check(pair: CandidatePair, nowMs: number): void {
    this.#list.untrigger(pair);
    if (pair.state !== "succeeded") pair.state = "in-progress";
    pair.check = this.#send(pair, nowMs);
  }

  #send(pair: CandidatePair, nowMs: number): CheckTransaction {
    const isControlling = this.#role.isControlling;
    // Consent checks nominate too: when our NAT has moved us, the peer sees them come from a pair that is new to it.
    const isNominating = isControlling && pair === this.#nominated;
    const transaction = this.#transactions.open(pair, { isNominating, isControlling }, nowMs);
    this.#sender.send(transaction);
    return transaction;
  }

  /**
   * RFC 8445 §8.1.1, regular nomination, without waiting for a better pair: the best one had its check one pacing
   * interval before any other, and an answer within it comes first.
   */
  #nominateSelected(nowMs: number): void {
    if (!this.#role.isControlling || this.#nominated !== null) return;
    if (this.#selected?.state === "succeeded") this.#nominate(this.#selected, nowMs);
  }

  /** At once, whatever the pacing says: it is one more packet on a path that is known to work. */
  #nominate(pair: CandidatePair, nowMs: number): void {
    this.#nominated = pair;
    this.#list.concludeWith(pair);
    this.#select(pair, nowMs);
    this.#check(pair, nowMs);
  }

  /** RFC 8445 §7.3.1.5: the peer has nominated this pair, and none that counts more. */
  #isWanted(pair: CandidatePair): boolean {
    if (pair.nominatedMs === Number.NEGATIVE_INFINITY || this.#role.isControlling) return false;
    const current = this.#nominated;
    if (current === null) return true;
    const lead = comparePairs(current, pair, false);
    return isPreferredNomination(pair.nominatedMs - current.nominatedMs, lead);
  }

  /** Takes the pair that the peer, which controls, has nominated or does answer over. */
  #follow(pair: CandidatePair, nowMs: number): void {
    if (pair === this.#nominated) return;
    this.#nominated = pair;
    this.#list.concludeWith(pair);
    this.#select(pair, nowMs);
  }

  #select(pair: CandidatePair, nowMs: number): void {
    if (pair === this.#selected) return;
    this.#selected = pair;
    this.#consent.begin(pair.lastResponseMs, nowMs);
    this.#link.select(pair.remote);
  }

  #keepConsent(nowMs: number): void {
    const pair = this.#selected;
    if (pair === null || nowMs < this.#consent.nextCheckAtMs) return;
    const rescue = this.#consent.isDoubtful ? this.#rescueFor(pair, nowMs) : null;
    if (rescue !== null) {
      this.#moveTo(rescue, nowMs);
      return;
    }
    this.#send(pair, nowMs);
    this.#consent.onCheckSent(nowMs);
    if (this.#consent.isSilent) this.#tryOthers(pair);
  }

  /** The call's way is lost: any other that the peer has named may do, like its address of the other IP version. */
  #tryOthers(lost: CandidatePair): void {
    for (const pair of this.#list.pairs) if (pair !== lost && pair.check === null) this.#list.trigger(pair);
  }

  /** A pair that answers now that the selected one does not. */
  #rescueFor(pair: CandidatePair, nowMs: number): CandidatePair | null {
    return this.#list.bestValid(pair, Math.max(pair.lastResponseMs, nowMs - RESCUE_MS));
  }

  #moveTo(pair: CandidatePair, nowMs: number): void {
    if (this.#role.isControlling) this.#nominate(pair, nowMs);
    else this.#follow(pair, nowMs);
  }

  #giveUpWhenHopeless(): void {
    if (this.#selected !== null) return;
    // A lite peer sends no checks of its own that we could learn another address from.
    const isExhausted = this.#isPeerLite && this.#list.pairs.length > 0 && this.#list.hasAllFailed;
    if (isExhausted) this.#link.end("no-pair");
  }

  /** When it is over, unless something is heard. */
  get #endMs(): number {
    return this.#selected === null ? this.#startedMs + GIVE_UP_MS : this.#consent.expiresAtMs;
  }

  #updateDeadline(): void {
    let deadlineMs = this.#endMs;
    if (this.#selected !== null) deadlineMs = Math.min(deadlineMs, this.#consent.nextCheckAtMs);
    if (this.#nextToCheck() !== null) deadlineMs = Math.min(deadlineMs, this.#pacedMs);
    for (const pair of this.#list.pairs) {
      if (pair.check !== null && pair.check.dueMs < deadlineMs) deadlineMs = pair.check.dueMs;
    }
    this.deadlineMs = deadlineMs;
  }
}
