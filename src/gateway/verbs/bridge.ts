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
  readonly #passesKeys: boolean;
  /** Each ends the passing of one side's keys. */
  #keyPasses: readonly (() => void)[] = [];
  #holds = 0;
  #isOver = false;
  #resolve: (result: BridgeResult) => void = () => {};

  constructor(sides: readonly [BridgeSide, BridgeSide], options: BridgeOptions) {
    this.#sides = sides;
    this.#startedAtMs = sides[0].verbs.call.clock.nowMs();
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#passesKeys = options.digits !== false;
    // What was pressed before was meant for nobody here.
    if (this.#passesKeys) for (const { verbs } of sides) verbs.digits.clear();
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
    if (this.#passesKeys) this.#keyPasses = [passKeys(left, right), passKeys(right, left)];
    for (const ongoing of this.#passing) {
      void ongoing.finished.then((end) => {
        if (end === "failed") this.#end("unbridged");
      });
    }
  }

  #stopPassing(): void {
    for (const ongoing of this.#passing) ongoing.stop();
    this.#passing = [];
    for (const end of this.#keyPasses) end();
    this.#keyPasses = [];
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

/** Keys of one side are pressed toward the other; a `gather` of its program gets none of them. @returns Ends it. */
function passKeys(from: BridgeSide, to: BridgeSide): () => void {
  const { call, digits } = from.verbs;
  const giveBack = digits.divert();
  const press = ({ digit }: { readonly digit: string }): void => {
    to.session.sendDigits(digit).catch(() => {
      // Too many wait: nobody presses so many.
    });
  };
  call.events.on("digit", press);
  return () => {
    call.events.off("digit", press);
    giveBack();
  };
}
