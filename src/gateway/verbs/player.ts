import type { HostedSession, Interruption, PlayResult } from "../../media/index.ts";
import { untilAborted } from "../../platform/until-aborted.ts";
import { optionError, requireRange, requireWhole } from "./option-checks.ts";
import { PcmChannel } from "./pcm-channel.ts";
import { pump } from "./pcm-pump.ts";
import { PlayControl } from "./play-control.ts";
import type { Playable, SoundSources } from "./sound-sources.ts";
import type { Playing, PlayOptions, PlaySource } from "./types.ts";
import type { VerbCall } from "./verb-call.ts";

const MAX_QUEUED = 64;
/** Sounds of one `play`. */
export const MAX_SOURCES = 64;
const MAX_ROUNDS = 10_000;
const MAX_GAIN = 4;

/** What is played in one go: prompts one after the other, or a stream. */
type Part =
  | { readonly prompts: readonly EncodedPromptOf[] }
  | Extract<Playable, { readonly stream: unknown }>;
type EncodedPromptOf = Extract<Playable, { readonly prompt: unknown }>["prompt"];

/** What a `play` needs to begin. */
interface Prepared {
  readonly parts: readonly Part[];
  readonly session: HostedSession;
}

/** One `play`. */
interface Order {
  /** Later ones have higher numbers. */
  readonly number: number;
  readonly options: PlayOptions;
  readonly control: PlayControl;
}

/** Plays sounds to one call, one at a time. */
export class Player {
  readonly #call: VerbCall;
  readonly #sources: SoundSources;
  readonly #orders = new Set<Order>();
  #asked = 0;
  /** Number of the latest `play` that began. */
  #begun = 0;
  /** Resolves when all that was asked for so far is over. */
  #last: Promise<unknown> = Promise.resolve();
  /** Resolves when the announcements so far are over. */
  #announced: Promise<unknown> = Promise.resolve();

  constructor(call: VerbCall, sources: SoundSources) {
    this.#call = call;
    this.#sources = sources;
    void call.ended.then(() => {
      for (const { control } of this.#orders) control.giveUp();
    });
  }

  /** What it rejects with is what `SoundSources.resolve` throws. */
  play(source: PlaySource | readonly PlaySource[], options: PlayOptions): Playing {
    const control = new PlayControl();
    const playing = this.#play([source].flat() as readonly PlaySource[], options, control);
    // One that fails has not taken the place of what was playing.
    this.#last = Promise.allSettled([this.#last, playing]);
    return Object.assign(playing, {
      stop: () => control.stop(),
      pause: () => control.setPaused(true),
      resume: () => control.setPaused(false),
    });
  }

  /** Plays what has to be heard: whatever is asked for meanwhile begins behind it. */
  announce(source: PlaySource | readonly PlaySource[], options: PlayOptions): Playing {
    const playing = this.play(source, options);
    this.#announced = Promise.allSettled([this.#announced, playing]);
    return playing;
  }

  async #play(
    sources: readonly PlaySource[],
    options: PlayOptions,
    control: PlayControl,
  ): Promise<PlayResult> {
    this.#check(sources, options);
    this.#asked += 1;
    const order: Order = { number: this.#asked, options, control };
    const stop = (): void => control.stop();
    options.signal?.addEventListener("abort", stop, { once: true });
    if (options.signal?.aborted) stop();
    if (this.#call.endReason !== null) control.giveUp();
    this.#orders.add(order);
    try {
      const prepared = await this.#prepare(sources, order);
      if (this.#call.endReason !== null) return control.result("call-ended");
      if (prepared === null) return control.result("stopped");
      // A file that was slow to load does not replace one that was asked for after it.
      if (order.number < this.#begun) return control.result("replaced");
      this.#begun = order.number;
      return await this.#playParts(prepared, order);
    } finally {
      this.#orders.delete(order);
      options.signal?.removeEventListener("abort", stop);
    }
  }

  #check(sources: readonly PlaySource[], { loop, gain }: PlayOptions): void {
    if (sources.length === 0 || sources.length > MAX_SOURCES) {
      throw optionError("source", `must be 1 to ${MAX_SOURCES} sounds, got ${sources.length}`);
    }
    if (typeof loop === "number") requireWhole("loop", loop, 1, MAX_ROUNDS);
    requireRange("gain", gain, 0, MAX_GAIN);
    if (this.#orders.size >= MAX_QUEUED) throw optionError("queue", `holds ${MAX_QUEUED} sounds at most`);
  }

  /** Waits for all that it needs, and for its turn. Null: it is not to be played any more. */
  async #prepare(sources: readonly PlaySource[], { options, control }: Order): Promise<Prepared | null> {
    const { signal } = control;
    const turn = options.queue === true ? this.#last : this.#announced;
    try {
      const parts = await untilAborted(this.#load(sources, options.gain ?? 1, signal), signal);
      const session = await untilAborted(this.#call.media(), signal);
      await untilAborted(turn, signal);
      return session === null ? null : { parts, session };
    } catch (error) {
      if (signal.aborted) return null;
      throw error;
    }
  }

  /** All at once, in their order. */
  async #load(sources: readonly PlaySource[], gain: number, signal: AbortSignal): Promise<readonly Part[]> {
    return toParts(await Promise.all(sources.map((source) => this.#sources.resolve(source, gain, signal))));
  }

  async #playParts({ session, parts }: Prepared, order: Order): Promise<PlayResult> {
    const { options, control } = order;
    const interruptOn = [options.interruptOn ?? []].flat() as readonly Interruption[];
    const [only] = parts;
    // The media's own loop has no gap between its rounds.
    if (parts.length === 1 && only !== undefined && "prompts" in only) {
      const loop = options.loop ?? false;
      return control.follow(session.play(only.prompts, { loop, interruptOn }));
    }
    const isRepeatable = parts.every((part) => "prompts" in part || part.stream.isRepeatable);
    const rounds = isRepeatable ? roundsOf(options.loop) : 1;
    for (let round = 0; round < rounds; round += 1) {
      for (const part of parts) {
        // Something else may have begun between two of them.
        if (order.number < this.#begun) return control.result("replaced");
        const result = await this.#playPart(session, part, interruptOn, control);
        if (result.outcome !== "completed") return control.result(result.outcome, result.interruptedBy);
      }
    }
    return control.result("completed");
  }

  async #playPart(
    session: HostedSession,
    part: Part,
    interruptOn: readonly Interruption[],
    control: PlayControl,
  ): Promise<PlayResult> {
    if ("prompts" in part) return control.follow(session.play(part.prompts, { interruptOn }));
    const channel = new PcmChannel(session, part.stream.rateHz, { place: "playback", interruptOn });
    void pump(channel, part.stream.samples, (error) =>
      this.#call.logger.warn({ err: error }, "samples broke off"),
    );
    return control.follow(channel.playback);
  }
}

function toParts(playables: readonly Playable[]): readonly Part[] {
  const parts: Part[] = [];
  for (const playable of playables) {
    const last = parts.at(-1);
    if ("stream" in playable) parts.push(playable);
    else if (last !== undefined && "prompts" in last) {
      parts[parts.length - 1] = { prompts: [...last.prompts, playable.prompt] };
    } else parts.push({ prompts: [playable.prompt] });
  }
  return parts;
}

function roundsOf(loop: boolean | number | undefined): number {
  return loop === true ? Number.POSITIVE_INFINITY : Number(loop ?? 1) || 1;
}
