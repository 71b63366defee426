import type { HostedSession, Interruption, Playback, PlayResult } from "../../media/index.ts";
import { optionError, requireRange } from "./option-checks.ts";
import { PcmChannel } from "./pcm-channel.ts";
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

/** Plays sounds to one call, one at a time. */
export class Player {
  readonly #call: VerbCall;
  readonly #sources: SoundSources;
  #asked = 0;
  /** Number of the latest `play` that began. */
  #begun = 0;
  #queued = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(call: VerbCall, sources: SoundSources) {
    this.#call = call;
    this.#sources = sources;
  }

  /** What it rejects with is what `SoundSources.resolve` throws. */
  play(source: PlaySource | readonly PlaySource[], options: PlayOptions): Playing {
    const control = new PlayControl();
    const playing = this.#play([source].flat() as readonly PlaySource[], options, control);
    this.#last = playing.catch(() => {});
    return Object.assign(playing, {
      stop: () => control.stop(),
      pause: () => control.setPaused(true),
      resume: () => control.setPaused(false),
    });
  }

  async #play(
    sources: readonly PlaySource[],
    options: PlayOptions,
    control: PlayControl,
  ): Promise<PlayResult> {
    this.#check(sources, options);
    this.#asked += 1;
    const number = this.#asked;
    const turn = options.queue === true ? this.#last : Promise.resolve();
    const stop = (): void => control.stop();
    options.signal?.addEventListener("abort", stop, { once: true });
    if (options.signal?.aborted) control.stop();
    this.#queued += 1;
    try {
      const parts = await this.#load(sources, options);
      const session = await this.#call.media();
      await Promise.race([turn, this.#call.ended]);
      if (session === null || this.#call.endReason !== null) return control.result("call-ended");
      if (control.isStopped) return control.result("stopped");
      // A file that was slow to load does not replace one that was asked for after it.
      if (number < this.#begun) return control.result("replaced");
      this.#begun = number;
      return await this.#playParts(session, parts, options, control);
    } finally {
      this.#queued -= 1;
      options.signal?.removeEventListener("abort", stop);
    }
  }

  #check(sources: readonly PlaySource[], { loop, gain }: PlayOptions): void {
    if (sources.length === 0 || sources.length > MAX_SOURCES) {
      throw optionError("source", `must be 1 to ${MAX_SOURCES} sounds, got ${sources.length}`);
    }
    if (typeof loop === "number") requireRange("loop", loop, 1, MAX_ROUNDS);
    requireRange("gain", gain, 0, MAX_GAIN);
    if (this.#queued >= MAX_QUEUED) throw optionError("queue", `holds ${MAX_QUEUED} sounds at most`);
  }

  /** All at once, in their order. */
  async #load(sources: readonly PlaySource[], { gain = 1, signal }: PlayOptions): Promise<readonly Part[]> {
    const playables = await Promise.all(
      sources.map((source) => this.#sources.resolve(source, gain, signal)),
    ).catch((error: unknown) => {
      if (signal?.aborted) return [];
      throw error;
    });
    return toParts(playables);
  }

  async #playParts(
    session: HostedSession,
    parts: readonly Part[],
    options: PlayOptions,
    control: PlayControl,
  ): Promise<PlayResult> {
    const interruptOn = [options.interruptOn ?? []].flat() as readonly Interruption[];
    const [only] = parts;
    // The media's own loop has no gap between its rounds.
    if (parts.length === 1 && only !== undefined && "prompts" in only) {
      const loop = options.loop ?? false;
      return control.follow(session.play(only.prompts, { loop, interruptOn }));
    }
    for (let round = 0; round < roundsOf(options.loop); round += 1) {
      for (const part of parts) {
        const result = await control.follow(startPart(session, part, interruptOn));
        if (result.outcome !== "completed") return control.result(result.outcome, result.interruptedBy);
      }
      if (parts.some((part) => "stream" in part)) break;
    }
    return control.result("completed");
  }
}

function startPart(session: HostedSession, part: Part, interruptOn: readonly Interruption[]): Playback {
  if ("prompts" in part) return session.play(part.prompts, { interruptOn });
  const channel = new PcmChannel(session, part.stream.rateHz, { place: "playback", interruptOn });
  void pump(channel, part.stream.samples);
  return channel.playback;
}

/** Writes a stream as it plays, and lets go of it when it is not played any more. */
async function pump(channel: PcmChannel, samples: AsyncIterable<Int16Array>): Promise<void> {
  let isOver = false;
  void channel.playback.finished.then(() => {
    isOver = true;
  });
  try {
    for await (const piece of samples) {
      await channel.write(piece);
      if (isOver) return;
    }
    channel.finish();
  } catch {
    // A stream that breaks ends what is played of it: the outcome says how much that was.
    channel.playback.stop();
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
