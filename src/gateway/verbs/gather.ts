import type { DigitQueue } from "./digit-queue.ts";
import { requireKey, requireWhole } from "./option-checks.ts";
import type { Player } from "./player.ts";
import type { GatherOptions, GatherResult } from "./types.ts";
import type { VerbCall } from "./verb-call.ts";

const DEFAULT_MAX_DIGITS = 128;
const DEFAULT_TIMEOUT_MS = 5_000;
const MAX_TIMEOUT_MS = 600_000;
const MAX_RETRIES = 20;

/** What a wait for a key ended with. */
type Came = "key" | "timeout" | "hangup" | "aborted";

/** @throws {RingbackError} `OPTION_INVALID`. */
export function checkGatherOptions(options: GatherOptions): void {
  requireWhole("maxDigits", options.maxDigits, 1, DEFAULT_MAX_DIGITS);
  requireWhole("timeoutMs", options.timeoutMs, 100, MAX_TIMEOUT_MS);
  requireWhole("interDigitTimeoutMs", options.interDigitTimeoutMs, 100, MAX_TIMEOUT_MS);
  requireWhole("retries", options.retries, 0, MAX_RETRIES);
  requireKey("finishOnKey", options.finishOnKey);
}

/** Waits for keys, with a prompt before them that the first one stops. */
export class Gather {
  readonly #call: VerbCall;
  readonly #queue: DigitQueue;
  readonly #player: Player;
  readonly #options: GatherOptions;
  readonly #maxDigits: number;
  readonly #finishOnKey: string | null;
  #digits = "";

  constructor(call: VerbCall, queue: DigitQueue, player: Player, options: GatherOptions) {
    this.#call = call;
    this.#queue = queue;
    this.#player = player;
    this.#options = options;
    this.#maxDigits = options.maxDigits ?? DEFAULT_MAX_DIGITS;
    this.#finishOnKey = options.finishOnKey === undefined ? "#" : options.finishOnKey;
  }

  async run(): Promise<GatherResult> {
    const { retries = 0, timeoutMs = DEFAULT_TIMEOUT_MS } = this.#options;
    for (let attempt = 0; attempt <= retries; attempt += 1) {
      const first = await this.#firstKey(timeoutMs);
      if (first === "timeout") continue;
      return first === "key" ? this.#collect() : this.#over(first);
    }
    return { outcome: "timeout", digits: "", finishedBy: null };
  }

  /** Plays the prompt, unless keys were pressed already, and waits for the first one. */
  async #firstKey(timeoutMs: number): Promise<Came> {
    const { prompt, signal } = this.#options;
    if (prompt === undefined || this.#queue.size > 0) return this.#waitForKey(timeoutMs);
    const playing = this.#player.play(prompt, {
      interruptOn: "digit",
      ...(signal !== undefined && { signal }),
    });
    // Who cannot be told what to press may know it.
    const played = playing.catch((error: unknown) =>
      this.#call.logger.warn({ err: error }, "a prompt was not played"),
    );
    const came = await this.#waitForKey(timeoutMs, played);
    playing.stop();
    return came;
  }

  async #collect(): Promise<GatherResult> {
    const { timeoutMs = DEFAULT_TIMEOUT_MS, interDigitTimeoutMs = timeoutMs } = this.#options;
    for (;;) {
      const key = this.#queue.take();
      if (key === null) {
        const came = await this.#waitForKey(interDigitTimeoutMs);
        if (came === "timeout") return this.#done("timeout");
        if (came !== "key") return this.#over(came);
      } else {
        if (key === this.#finishOnKey) return this.#done("finish-key");
        this.#digits += key;
        if (this.#digits.length >= this.#maxDigits) return this.#done("max-digits");
      }
    }
  }

  /** @param after The time begins when it resolves. */
  async #waitForKey(timeoutMs: number, after: Promise<unknown> = Promise.resolve()): Promise<Came> {
    const { timers } = this.#call;
    const { signal } = this.#options;
    let timer: object | null = null;
    let isTimedOut = false;
    return new Promise((resolve) => {
      // Another gather may have taken the key that woke this one.
      const look = (): void => {
        const came = this.#look(isTimedOut);
        if (came === null) return;
        unwatch();
        signal?.removeEventListener("abort", look);
        if (timer !== null) timers.clearTimer(timer);
        isTimedOut = true;
        resolve(came);
      };
      const arm = (): void => {
        if (isTimedOut) return;
        timer = timers.setTimer(timeoutMs, () => {
          isTimedOut = true;
          look();
        });
      };
      const unwatch = this.#queue.watch(look);
      signal?.addEventListener("abort", look, { once: true });
      void after.then(arm);
      look();
    });
  }

  /** Null: nothing came yet. */
  #look(isTimedOut: boolean): Came | null {
    if (this.#options.signal?.aborted) return "aborted";
    if (this.#queue.size > 0) return "key";
    if (this.#call.endReason !== null) return "hangup";
    return isTimedOut ? "timeout" : null;
  }

  #done(finishedBy: GatherResult["finishedBy"]): GatherResult {
    return { outcome: "digits", digits: this.#digits, finishedBy };
  }

  #over(outcome: "hangup" | "aborted"): GatherResult {
    return { outcome, digits: this.#digits, finishedBy: null };
  }
}
