import type { Random } from "../../random.ts";
import { TRANSACTION_ID_BYTES } from "../stun/stun-format.ts";
import type { StunView } from "../stun/stun-view.ts";
import type { CandidatePair } from "./candidate-pair.ts";

/** RFC 8489 §6.2.1 and RFC 8445 §14.3. */
const RTO_MS = 500;
/**
 * RFC 8489 §6.2.1 lets the wait double without end, up to 16 s of silence. A call has 30 s to come up, and a check a second is
 * nothing beside its audio: where three of ten datagrams are lost, one call in a hundred would not make it.
 */
const MAX_WAIT_MS = 1_000;
/** Rc: sends of one request, the last one 31.5 s after the first, as with the RFC's seven. */
const MAX_SENDS = 33;
/** Rm, 16 RTOs: the wait after the last one. */
const LAST_WAIT_MS = 16 * RTO_MS;
/** All 36 pairs with a check in flight, 60 consent checks, and some that were called off; the oldest goes. */
const MAX_OPEN = 128;

/** One check on its way: RFC 8489 §6.2.1. */
export class CheckTransaction {
  readonly id: Uint8Array;
  readonly pair: CandidatePair;
  /** With USE-CANDIDATE. */
  readonly isNominating: boolean;
  /** Our role in it, which a 487 refuses. */
  readonly isControlling: boolean;
  readonly sentAtMs: number;
  sends = 1;
  /** When to send again, or to give up. */
  dueMs: number;

  constructor(
    id: Uint8Array,
    pair: CandidatePair,
    flags: { readonly isNominating: boolean; readonly isControlling: boolean },
    nowMs: number,
  ) {
    this.id = id;
    this.pair = pair;
    this.isNominating = flags.isNominating;
    this.isControlling = flags.isControlling;
    this.sentAtMs = nowMs;
    this.dueMs = nowMs + RTO_MS;
  }

  get isExhausted(): boolean {
    return this.sends === MAX_SENDS;
  }

  /** The request has been sent once more. */
  onResent(nowMs: number): void {
    this.sends += 1;
    this.dueMs = nowMs + (this.isExhausted ? LAST_WAIT_MS : MAX_WAIT_MS);
  }
}

/** The checks whose answers would be welcome. A check that is called off stays: its answer still proves the path. */
export class CheckTransactions {
  readonly #random: Random;
  /** Oldest first. */
  readonly #open: CheckTransaction[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  open(
    pair: CandidatePair,
    flags: { readonly isNominating: boolean; readonly isControlling: boolean },
    nowMs: number,
  ): CheckTransaction {
    if (this.#open.length === MAX_OPEN) this.#open.shift();
    const transaction = new CheckTransaction(this.#random(TRANSACTION_ID_BYTES), pair, flags, nowMs);
    this.#open.push(transaction);
    return transaction;
  }

  /** The transaction that a response claims to answer, null when there is none. */
  find(response: StunView): CheckTransaction | null {
    for (const transaction of this.#open) {
      if (response.hasTransactionId(transaction.id)) return transaction;
    }
    return null;
  }

  close(transaction: CheckTransaction): void {
    const index = this.#open.indexOf(transaction);
    if (index >= 0) this.#open.splice(index, 1);
  }

  closeAll(pair: CandidatePair): void {
    for (let i = this.#open.length - 1; i >= 0; i -= 1) {
      if (this.#open[i]?.pair === pair) this.#open.splice(i, 1);
    }
  }
}
