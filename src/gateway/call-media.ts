import { buildAnswer, readAudioDescription } from "../core/sdp/index.ts";
import type { Logger } from "../logger.ts";
import type { HostedSession, MediaHost, MediaSessionListener, MediaStats } from "../media/index.ts";

/** One call's media, from before there is a leg until after it is gone. */
export class CallMedia {
  readonly #host: MediaHost;
  readonly #listener: MediaSessionListener;
  readonly #logger: Logger;
  #session: HostedSession | null = null;
  #areFramesWanted = false;
  #opening: Promise<unknown> = Promise.resolve();
  readonly #closed: Promise<void>;
  #resolveClosed!: () => void;
  #isClosed = false;

  constructor(host: MediaHost, listener: MediaSessionListener, logger: Logger) {
    this.#host = host;
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

  /** Resolves once there is a session; null when the call is over. */
  async session(): Promise<HostedSession | null> {
    await Promise.race([this.#opening, this.#closed]);
    return this.#isClosed ? null : this.#session;
  }

  close(): void {
    this.#isClosed = true;
    this.#resolveClosed();
    this.#session?.close();
  }

  async #open(offerSdp: string): Promise<string | null> {
    const offer = readAudioDescription(offerSdp, { as: "offer" });
    const session = await this.#host.openSession(offer, this.#listener, this.#logger);
    this.#session = session;
    if (this.#areFramesWanted) session.setFramesWanted(true);
    if (!this.#isClosed) return buildAnswer(offer, session.local);
    session.close();
    return null;
  }
}
