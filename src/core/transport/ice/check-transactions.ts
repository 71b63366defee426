import type { Random } from "../../random.ts";
import { TRANSACTION_ID_BYTES } from "../stun/stun-format.ts";
import type { StunView } from "../stun/stun-view.ts";
import type { CandidatePair } from "./candidate-pair.ts";

/** RFC 8489 §6.2.1 and RFC 8445 §14.3. */
export const RTO_MS = 500;
/** Rc: sends of one request. */
export const MAX_SENDS = 7;
/** Rm: the wait after the last one, in RTOs. */
export const LAST_WAIT_RTOS = 16;
/** Pairs with a check in flight, consent checks and those called off; the oldest goes. */
const MAX_OPEN = 64;

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
    this.dueMs = nowMs + RTO_MS * (this.isExhausted ? LAST_WAIT_RTOS : 2 ** (this.sends - 1));
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
