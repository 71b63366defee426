import type { DigitQueue } from "./digit-queue.ts";
import { Gather } from "./gather.ts";
import { optionError, requireKey } from "./option-checks.ts";
import type { Player } from "./player.ts";
import type { ConsentMode, RecordingConsent, StartRecordingOptions } from "./types.ts";
import type { VerbCall } from "./verb-call.ts";

const MODES: readonly ConsentMode[] = ["announce", "dtmf", "none"];
const KEY_TIMEOUT_MS = 10_000;

/** @throws {RingbackError} `OPTION_INVALID`. */
export function checkConsent({ consent, announcement, consentKey }: StartRecordingOptions): void {
  if (!MODES.includes(consent)) {
    throw optionError("consent", 'must be chosen: "announce", "dtmf" or "none" (docs/recording.md)');
  }
  requireKey("consentKey", consentKey);
  if (consent === "none" || announcement !== undefined) return;
  throw optionError("announcement", `must be given for consent "${consent}": the caller has to be told`);
}

/** Tells or asks the caller, as was chosen, before anything is recorded. */
export class ConsentRequest {
  readonly #call: VerbCall;
  readonly #player: Player;
  readonly #queue: DigitQueue;

  constructor(call: VerbCall, player: Player, queue: DigitQueue) {
    this.#call = call;
    this.#player = player;
    this.#queue = queue;
  }

  /** What `play` throws: an announcement that cannot be played was not made. */
  async run(options: StartRecordingOptions): Promise<RecordingConsent> {
    const { consent: mode, announcement } = options;
    if (mode === "none" || announcement === undefined) return { ...NOT_ASKED, mode };
    // A key that was pressed before the question is no answer to it.
    if (mode === "dtmf") this.#queue.clear();
    const { outcome } = await this.#player.announce(announcement, {
      ...signalOf(options),
      ...(mode === "dtmf" && { interruptOn: "digit" }),
    });
    if (mode === "dtmf" && (outcome === "completed" || outcome === "interrupted")) return this.#ask(options);
    return outcome === "completed" ? this.#answered(mode, "announced", null) : { ...NOT_ASKED, mode };
  }

  async #ask(options: StartRecordingOptions): Promise<RecordingConsent> {
    const gathered = await new Gather(this.#call, this.#queue, this.#player, {
      maxDigits: 1,
      finishOnKey: null,
      timeoutMs: KEY_TIMEOUT_MS,
      ...signalOf(options),
    }).run();
    if (gathered.outcome === "hangup" || gathered.outcome === "aborted")
      return { ...NOT_ASKED, mode: "dtmf" };
    const isGiven = gathered.digits === (options.consentKey ?? "1");
    return this.#answered("dtmf", isGiven ? "given" : "declined", gathered.digits || null);
  }

  #answered(mode: ConsentMode, state: RecordingConsent["state"], digit: string | null): RecordingConsent {
    return { mode, state, atMs: this.#call.clock.wallMs(), digit };
  }
}

const NOT_ASKED = { state: "not-asked", atMs: null, digit: null } as const;

function signalOf({ signal }: StartRecordingOptions): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
