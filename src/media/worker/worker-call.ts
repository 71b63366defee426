import type { Digit } from "../../core/transport/rtp/telephone-event.ts";
import type { DigitOptions } from "../../core/transport/rtp/telephone-event-sender.ts";
import type { Logger } from "../../logger.ts";
import type { EncodedPrompt } from "../encoded-prompt.ts";
import type { MediaDownReason } from "../engine.ts";
import type { HostedSession } from "../media-host.ts";
import type { MediaSessionListener } from "../media-session.ts";
import type { Playback } from "../playback.ts";
import type { FrameBatcher } from "./frame-batch.ts";
import type { FromWorker } from "./messages.ts";
import { callStats } from "./shared-stats.ts";
import { toWireError } from "./wire-error.ts";

export interface WorkerCallOptions {
  readonly call: number;
  /** Shared with the other thread. */
  readonly stats: Float64Array;
  readonly post: (message: FromWorker) => void;
  readonly frames: FrameBatcher;
  readonly logger: Logger;
}

/** One call in its worker: does what the messages ask of its session, and reports as messages what comes of it. */
export class WorkerCall implements MediaSessionListener {
  readonly #call: number;
  readonly #stats: Float64Array;
  readonly #post: (message: FromWorker) => void;
  readonly #frames: FrameBatcher;
  readonly #logger: Logger;
  readonly #playbacks = new Map<number, Playback>();
  readonly #sending = new Set<Promise<void>>();
  #session: HostedSession | null = null;
  #wasConnected = false;

  constructor(options: WorkerCallOptions) {
    this.#call = options.call;
    this.#stats = options.stats;
    this.#post = options.post;
    this.#frames = options.frames;
    this.#logger = options.logger;
  }

  opened(session: HostedSession): void {
    this.#session = session;
    this.refresh();
    this.#post({ type: "opened", call: this.#call, local: session.local });
  }

  /** What a session throws ends its own call, and no other. */
  perform(action: (session: HostedSession) => void): void {
    if (this.#session === null) return;
    try {
      action(this.#session);
    } catch (error) {
      this.#logger.error({ err: error }, "media failed");
      const type = this.#wasConnected ? "lost" : "failed";
      this.#post({ type, call: this.#call, reason: "engine-error" });
    }
  }

  play(playback: number, prompt: EncodedPrompt, loop: boolean): void {
    this.perform((session) => {
      const playing = session.play(prompt, { loop });
      this.#playbacks.set(playback, playing);
      void playing.finished.then((result) => {
        this.#playbacks.delete(playback);
        this.#post({ type: "played", call: this.#call, playback, result });
      });
    });
  }

  stop(playback: number): void {
    this.#playbacks.get(playback)?.stop();
  }

  sendDigits(request: number, digits: string, options: DigitOptions): void {
    const call = this.#call;
    this.perform((session) => {
      const sending = session.sendDigits(digits, options).then(
        (outcome) => this.#post({ type: "digits-sent", call, request, outcome }),
        (error: unknown) => this.#post({ type: "digits-refused", call, request, error: toWireError(error) }),
      );
      this.#sending.add(sending);
      void sending.finally(() => this.#sending.delete(sending));
    });
  }

  /** The last word about a call comes when what became of its playbacks and digits has gone. */
  async close(): Promise<void> {
    this.perform((session) => session.close());
    this.refresh();
    this.#session = null;
    await Promise.all([...this.#playbacks.values()].map((playback) => playback.finished));
    await Promise.all(this.#sending);
    this.#post({ type: "closed", call: this.#call });
  }

  /** Brings the shared statistics up to date. */
  refresh(): void {
    if (this.#session !== null) callStats.write(this.#session.stats(), this.#stats);
  }

  onIceConnected(): void {
    this.#report({ type: "ice-connected", call: this.#call });
  }

  onConnected(): void {
    this.#wasConnected = true;
    this.#report({ type: "connected", call: this.#call });
  }

  onLost(reason?: MediaDownReason): void {
    this.#report({ type: "lost", call: this.#call, reason });
  }

  onFailed(reason?: MediaDownReason): void {
    this.#report({ type: "failed", call: this.#call, reason });
  }

  onFirstRtpIn(): void {
    this.#report({ type: "first-rtp-in", call: this.#call });
  }

  onFirstRtpOut(): void {
    this.#report({ type: "first-rtp-out", call: this.#call });
  }

  onDigit(digit: Digit): void {
    this.#report({ type: "digit", call: this.#call, digit });
  }

  onFrame(opusPayload: Uint8Array, rtpTimestamp: number): void {
    this.#frames.add(this.#call, opusPayload, rtpTimestamp);
  }

  /** The statistics first, so that whoever hears of it finds them. */
  #report(message: FromWorker): void {
    this.refresh();
    this.#post(message);
  }
}
