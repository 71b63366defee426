import { buildAnswer, readAudioDescription } from "../core/sdp/index.ts";
import type { Logger } from "../logger.ts";
import type {
  DigitOptions,
  HostedSession,
  MediaHost,
  MediaSessionListener,
  MediaStats,
  PlayResult,
  PromptCache,
  SendDigitsOutcome,
} from "../media/index.ts";
import type { PlayOptions } from "./call.ts";

/** What the media of every call of a gateway shares. */
export interface MediaContext {
  readonly media: MediaHost;
  readonly prompts: PromptCache;
}

/** One call's media, from before there is a leg until after it is gone. */
export class CallMedia {
  readonly #context: MediaContext;
  readonly #listener: MediaSessionListener;
  readonly #logger: Logger;
  #session: HostedSession | null = null;
  #areFramesWanted = false;
  #opening: Promise<unknown> = Promise.resolve();
  readonly #closed: Promise<void>;
  #resolveClosed!: () => void;
  #isClosed = false;
  #playsAsked = 0;
  /** Number of the latest `play` that began. */
  #playBegun = 0;

  constructor(context: MediaContext, listener: MediaSessionListener, logger: Logger) {
    this.#context = context;
    this.#listener = listener;
    this.#logger = logger;
    this.#closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  /**
   * Opens our side of the call and resolves with the answer's SDP; null when the call was closed meanwhile.
   * @throws {RingbackError} `SDP_INVALID`, `SDP_UNUSABLE`, `MEDIA_ENGINE_FAILED`.
   */
  open(offerSdp: string): Promise<string | null> {
    const opening = this.#open(offerSdp);
    this.#opening = opening.catch(() => {
      // Told to the caller of open().
    });
    return opening;
  }

  connect(): void {
    this.#session?.connect();
  }

  startRtp(): void {
    this.#session?.startRtp();
  }

  /** Received packets go to the listener's `onFrame` from now on, or no longer. */
  setFramesWanted(areWanted: boolean): void {
    this.#areFramesWanted = areWanted;
    this.#session?.setFramesWanted(areWanted);
  }

  stats(): MediaStats | null {
    return this.#session?.stats() ?? null;
  }

  /** @throws {RingbackError} `MEDIA_FILE_UNUSABLE`. */
  async play(file: string, options: PlayOptions): Promise<PlayResult> {
    this.#playsAsked += 1;
    const number = this.#playsAsked;
    const prompt = await this.#context.prompts.load(file);
    await Promise.race([this.#opening, this.#closed]);
    if (this.#session === null || this.#isClosed) return { outcome: "call-ended", playedMs: 0 };
    if (options.signal?.aborted) return { outcome: "stopped", playedMs: 0 };
    // A file that was slow to load does not replace one that was asked for after it.
    if (number < this.#playBegun) return { outcome: "replaced", playedMs: 0 };
    this.#playBegun = number;
    const playback = this.#session.play(prompt, { loop: options.loop ?? false });
    const stop = (): void => playback.stop();
    options.signal?.addEventListener("abort", stop, { once: true });
    try {
      return await playback.finished;
    } finally {
      options.signal?.removeEventListener("abort", stop);
    }
  }

  /** @throws {RingbackError} `OPTION_INVALID`. */
  async sendDigits(digits: string, options: DigitOptions): Promise<SendDigitsOutcome> {
    await Promise.race([this.#opening, this.#closed]);
    if (this.#session === null || this.#isClosed) return "call-ended";
    return this.#session.sendDigits(digits, options);
  }

  close(): void {
    this.#isClosed = true;
    this.#resolveClosed();
    this.#session?.close();
  }

  async #open(offerSdp: string): Promise<string | null> {
    const offer = readAudioDescription(offerSdp, { as: "offer" });
    const session = await this.#context.media.openSession(offer, this.#listener, this.#logger);
    this.#session = session;
    if (this.#areFramesWanted) session.setFramesWanted(true);
    if (!this.#isClosed) return buildAnswer(offer, session.local);
    session.close();
    return null;
  }
}
