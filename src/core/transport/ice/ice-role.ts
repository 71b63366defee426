import { type Random, randomUint32 } from "../../random.ts";
import type { StunView } from "../stun/stun-view.ts";

/**
 * Switches that error answers may cause. Two agents agree after one or two; a peer that keeps on
 * refusing must not keep us switching.
 */
const MAX_FORCED_SWITCHES = 8;

/** Which side nominates (RFC 8445 §6.1.1), and what settles it when both think that they do (§7.3.1.1). */
export class IceRole {
  isControlling: boolean;
  tieBreakerHigh: number;
  tieBreakerLow: number;
  readonly #isFixed: boolean;
  readonly #random: Random;
  #forcedSwitches = 0;

  /** `isFixed`: one side is lite, and the roles are not open to conflict (RFC 8445 §6.1.1). */
  constructor(isControlling: boolean, isFixed: boolean, random: Random) {
    this.isControlling = isControlling;
    this.#isFixed = isFixed;
    this.#random = random;
    this.tieBreakerHigh = randomUint32(random);
    this.tieBreakerLow = randomUint32(random);
  }

  /**
   * RFC 8445 §7.3.1.1 for an authenticated check: settles a conflict by the tie-breakers.
   *
   * @returns `refuse`: the sender is to switch (487); `switched`: we have.
   */
  resolve(check: StunView): "ok" | "refuse" | "switched" {
    if (check.role === null || (check.role === "controlling") !== this.isControlling) return "ok";
    if (this.#isFixed || this.#isAtLeast(check) === this.isControlling) return "refuse";
    this.isControlling = !this.isControlling;
    return "switched";
  }

  /**
   * RFC 8445 §7.2.5.1: a check that we sent as `sentControlling` was answered with 487.
   *
   * @returns False when we do not give in: the pair has failed.
   */
  yieldTo487(sentControlling: boolean): boolean {
    if (this.#isFixed || this.#forcedSwitches === MAX_FORCED_SWITCHES) return false;
    this.#forcedSwitches += 1;
    if (sentControlling === this.isControlling) {
      this.isControlling = !this.isControlling;
      this.tieBreakerHigh = randomUint32(this.#random);
      this.tieBreakerLow = randomUint32(this.#random);
    }
    return true;
  }

  #isAtLeast(check: StunView): boolean {
    if (this.tieBreakerHigh !== check.tieBreakerHigh) return this.tieBreakerHigh > check.tieBreakerHigh;
    return this.tieBreakerLow >= check.tieBreakerLow;
  }
}
