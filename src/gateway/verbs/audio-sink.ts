import type { OpusRateHz, PlayResult } from "../../media/index.ts";
import { callEnded, handled } from "../call-errors.ts";
import { optionError, requireRate } from "./option-checks.ts";
import { PcmChannel } from "./pcm-channel.ts";
import type { AudioSink } from "./types.ts";
import type { VerbCall } from "./verb-call.ts";

/** Samples to one caller, from when there is media until the call ends or something else takes the place of it. */
export class CallAudioSink implements AudioSink {
  readonly rateHz: OpusRateHz;
  readonly #call: VerbCall;
  /** Null: the call was over before. */
  readonly #opening: Promise<PcmChannel | null>;
  #isEnded = false;
  #outcome: PlayResult["outcome"] | null = null;

  /** @throws {RingbackError} `OPTION_INVALID`. */
  constructor(call: VerbCall, rateHz: OpusRateHz) {
    requireRate(rateHz);
    this.rateHz = rateHz;
    this.#call = call;
    this.#opening = this.#open();
  }

  write(samples: Int16Array): Promise<void> {
    return handled(this.#write(samples));
  }

  clear(): void {
    void this.#opening.then((channel) => channel?.clear());
  }

  async mark(): ReturnType<AudioSink["mark"]> {
    return (await this.#opening)?.mark() ?? "call-ended";
  }

  async end(): Promise<void> {
    this.#isEnded = true;
    const channel = await this.#opening;
    channel?.finish();
    await channel?.playback.finished;
  }

  async #open(): Promise<PcmChannel | null> {
    const session = await this.#call.media();
    if (session === null) return null;
    const channel = new PcmChannel(session, this.rateHz, { place: "live" });
    void channel.playback.finished.then(({ outcome }) => {
      this.#outcome = outcome;
    });
    return channel;
  }

  async #write(samples: Int16Array): Promise<void> {
    // As of now: `end` may come while this one still waits.
    const isLate = this.#isEnded;
    const channel = await this.#opening;
    this.#requireCall(channel !== null);
    if (isLate) throw optionError("samples", "came after end()");
    // Without this, a loop that writes would turn without ever waiting.
    if (this.#outcome !== null) throw optionError("samples", "came after another sink or a bridge took over");
    await channel?.write(samples);
    this.#requireCall();
  }

  #requireCall(hasMedia = true): void {
    const { id, endReason } = this.#call;
    if (hasMedia && endReason === null) return;
    throw callEnded(id, endReason ?? "local-hangup", "write", null);
  }
}
