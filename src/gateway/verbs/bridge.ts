import { createPacketRingMemory, type HostedSession, type Ongoing } from "../../media/index.ts";
import type { CallVerbs } from "./call-verbs.ts";
import type { Bridge, BridgeOptions, BridgeResult } from "./types.ts";

/** One of the two calls of a bridge. */
export interface BridgeSide {
  readonly verbs: CallVerbs;
  readonly session: HostedSession;
}

/** Two calls that talk: each hears what the other says, while neither is on hold. */
export class CallBridge implements Bridge {
  readonly ended: Promise<BridgeResult>;
  readonly #sides: readonly [BridgeSide, BridgeSide];
  readonly #startedAtMs: number;
  readonly #releases: (() => void)[] = [];
  #passing: readonly Ongoing[] = [];
  #holds = 0;
  #isOver = false;
  #resolve: (result: BridgeResult) => void = () => {};

  constructor(sides: readonly [BridgeSide, BridgeSide], options: BridgeOptions) {
    this.#sides = sides;
    this.#startedAtMs = sides[0].verbs.call.clock.nowMs();
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    if (options.digits !== false) {
      this.#passDigits(sides[0], sides[1]);
      this.#passDigits(sides[1], sides[0]);
    }
    this.#followSignal(options.signal);
    for (const { verbs } of sides) void verbs.call.ended.then(() => this.#end("hangup"));
    this.#pass();
  }

  unbridge(): void {
    this.#end("unbridged");
  }

  /** Nothing passes from now on. */
  hold(): void {
    this.#holds += 1;
    this.#stopPassing();
  }

  /** Once for each `hold`. */
  unhold(): void {
    this.#holds -= 1;
    if (this.#holds === 0 && !this.#isOver) this.#pass();
  }

  #pass(): void {
    const [left, right] = this.#sides;
    const [toRight, toLeft] = [createPacketRingMemory(), createPacketRingMemory()];
    this.#passing = [
      left.session.bridge({ to: toRight, from: toLeft }),
      right.session.bridge({ to: toLeft, from: toRight }),
    ];
    for (const ongoing of this.#passing) {
      void ongoing.finished.then((end) => {
        if (end === "failed") this.#end("unbridged");
      });
    }
  }

  #stopPassing(): void {
    for (const ongoing of this.#passing) ongoing.stop();
    this.#passing = [];
  }

  #passDigits(from: BridgeSide, to: BridgeSide): void {
    from.verbs.digits.clear();
    const press = ({ digit }: { readonly digit: string }): void => {
      if (this.#holds > 0) return;
      // The keys are the other side's: this program does not wait for them, too.
      from.verbs.digits.take();
      to.session.sendDigits(digit).catch(() => {});
    };
    from.verbs.call.events.on("digit", press);
    this.#releases.push(() => from.verbs.call.events.off("digit", press));
  }

  #followSignal(signal: AbortSignal | undefined): void {
    if (signal === undefined) return;
    const stop = (): void => this.unbridge();
    signal.addEventListener("abort", stop, { once: true });
    this.#releases.push(() => signal.removeEventListener("abort", stop));
    if (signal.aborted) queueMicrotask(stop);
  }

  #end(outcome: BridgeResult["outcome"]): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopPassing();
    for (const release of this.#releases) release();
    for (const { verbs } of this.#sides) verbs.leaveBridge(this);
    const durationMs = Math.round(this.#sides[0].verbs.call.clock.nowMs() - this.#startedAtMs);
    this.#resolve({ outcome, durationMs });
  }
}
