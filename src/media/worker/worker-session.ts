import type { LocalAudio } from "../../core/sdp/model.ts";
import type { DigitOptions } from "../../core/transport/rtp/telephone-event-sender.ts";
import type { EncodedPrompt } from "../encoded-prompt.ts";
import type { MediaDownReason } from "../engine.ts";
import type { HostedSession } from "../media-host.ts";
import type { MediaSessionListener, MediaStats, SendDigitsOutcome } from "../media-session.ts";
import type { Playback, PlayResult } from "../playback.ts";
import type { FromWorker, ToWorker } from "./messages.ts";
import { callStats } from "./shared-stats.ts";
import { fromWireError } from "./wire-error.ts";

export interface WorkerSessionOptions {
  readonly call: number;
  readonly local: LocalAudio;
  readonly listener: MediaSessionListener;
  /** Shared with the worker, which keeps it up to date. */
  readonly stats: Float64Array;
  readonly post: (message: ToWorker) => void;
  /** Sends the prompt unless the worker has it, and gives its number. */
  readonly sharePrompt: (prompt: EncodedPrompt) => number;
}

/** What a worker says about a call that is open. */
export type SessionMessage = Exclude<
  Extract<FromWorker, { readonly call: number }>,
  { readonly type: "opened" | "open-failed" | "closed" }
>;

/** What came of something that this thread asked for, also after the end. */
type AnswerMessage = Extract<SessionMessage, { readonly type: "played" | "digits-sent" | "digits-refused" }>;

interface PendingDigits {
  resolve(outcome: SendDigitsOutcome): void;
  reject(error: Error): void;
}

/** A call whose media runs in a worker, as this thread sees it. */
export class WorkerSession implements HostedSession {
  readonly local: LocalAudio;
  readonly #call: number;
  readonly #listener: MediaSessionListener;
  readonly #stats: Float64Array;
  readonly #post: (message: ToWorker) => void;
  readonly #sharePrompt: (prompt: EncodedPrompt) => number;
  readonly #playing = new Map<number, (result: PlayResult) => void>();
  readonly #sending = new Map<number, PendingDigits>();
  #lastRequest = 0;
  #lastPlayback = 0;
  #areFramesWanted = false;
  #wasConnected = false;
  #isDown = false;
  /** Closed by its owner, or its worker is gone: nothing is reported from here on. */
  #isOver = false;

  constructor(options: WorkerSessionOptions) {
    this.local = options.local;
    this.#call = options.call;
    this.#listener = options.listener;
    this.#stats = options.stats;
    this.#post = options.post;
    this.#sharePrompt = options.sharePrompt;
  }

  connect(): void {
    this.#ask({ type: "connect", call: this.#call });
  }

  startRtp(): void {
    this.#ask({ type: "start-rtp", call: this.#call });
  }

  setFramesWanted(areWanted: boolean): void {
    if (areWanted === this.#areFramesWanted) return;
    this.#areFramesWanted = areWanted;
    this.#ask({ type: "want-frames", call: this.#call, areWanted });
  }

  play(prompt: EncodedPrompt, options: { readonly loop?: boolean } = {}): Playback {
    this.#lastPlayback += 1;
    const playback = this.#lastPlayback;
    const call = this.#call;
    const finished = new Promise<PlayResult>((resolve) => this.#playing.set(playback, resolve));
    if (this.#isOver) this.#finishPlayback(playback, CALL_ENDED);
    else {
      const number = this.#sharePrompt(prompt);
      this.#ask({ type: "play", call, playback, prompt: number, loop: options.loop === true });
    }
    return { finished, stop: () => this.#ask({ type: "stop", call, playback }) };
  }

  sendDigits(digits: string, options: DigitOptions = {}): Promise<SendDigitsOutcome> {
    if (this.#isOver) return Promise.resolve("call-ended");
    this.#lastRequest += 1;
    const request = this.#lastRequest;
    return new Promise((resolve, reject) => {
      this.#sending.set(request, { resolve, reject });
      this.#ask({ type: "send-digits", call: this.#call, request, digits, options });
    });
  }

  /** As the worker wrote them last, at most 200 ms ago or at the latest change. */
  stats(): MediaStats {
    return callStats.read(this.#stats);
  }

  close(): void {
    this.#ask({ type: "close", call: this.#call });
    this.#isOver = true;
  }

  handle(message: SessionMessage): void {
    const { type } = message;
    if (type === "played") this.#finishPlayback(message.playback, message.result);
    else if (type === "digits-sent") this.#takeRequest(message.request)?.resolve(message.outcome);
    else if (type === "digits-refused") {
      this.#takeRequest(message.request)?.reject(fromWireError(message.error));
    } else if (!this.#isOver) this.#report(message);
  }

  /** A received packet; the bytes are valid only during the call. */
  takeFrame(opusPayload: Uint8Array, rtpTimestamp: number): void {
    if (this.#areFramesWanted && !this.#isOver) this.#listener.onFrame(opusPayload, rtpTimestamp);
  }

  /** The worker says nothing more about the call: it closed it, as it was asked to, or is gone, and with it the media. */
  workerIsDone(): void {
    const type = this.#wasConnected ? "lost" : "failed";
    if (!this.#isOver) this.#report({ type, call: this.#call, reason: "worker-crashed" });
    this.#isOver = true;
    for (const playback of [...this.#playing.keys()]) this.#finishPlayback(playback, CALL_ENDED);
    for (const request of [...this.#sending.keys()]) this.#takeRequest(request)?.resolve("call-ended");
  }

  #ask(message: ToWorker): void {
    if (!this.#isOver) this.#post(message);
  }

  #report(message: Exclude<SessionMessage, AnswerMessage>): void {
    switch (message.type) {
      case "ice-connected":
        this.#listener.onIceConnected();
        return;
      case "connected":
        this.#wasConnected = true;
        this.#listener.onConnected();
        return;
      case "lost":
      case "failed":
        this.#reportDown(message.type, message.reason);
        return;
      case "first-rtp-in":
        this.#listener.onFirstRtpIn();
        return;
      case "first-rtp-out":
        this.#listener.onFirstRtpOut();
        return;
      case "digit":
        this.#listener.onDigit(message.digit);
        return;
    }
  }

  #reportDown(type: "lost" | "failed", reason: MediaDownReason | undefined): void {
    if (this.#isDown) return;
    this.#isDown = true;
    if (type === "lost") this.#listener.onLost(reason);
    else this.#listener.onFailed(reason);
  }

  #finishPlayback(playback: number, result: PlayResult): void {
    this.#playing.get(playback)?.(result);
    this.#playing.delete(playback);
  }

  #takeRequest(request: number): PendingDigits | undefined {
    const pending = this.#sending.get(request);
    this.#sending.delete(request);
    return pending;
  }
}

/** How much of it was sent went with the worker, or nothing was. */
const CALL_ENDED: PlayResult = { outcome: "call-ended", playedMs: 0 };
