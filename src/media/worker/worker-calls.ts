import { type DtlsCertificate, importCertificate } from "../../core/transport/dtls/dtls-certificate.ts";
import type { Logger } from "../../logger.ts";
import type { TimerHandle, Timers } from "../../platform/timers.ts";
import { type EncodedPrompt, openPrompt } from "../encoded-prompt.ts";
import type { MediaHost } from "../media-host.ts";
import type { FrameBatcher } from "./frame-batch.ts";
import { readFrames } from "./frame-buffer.ts";
import type { FromWorker, ToWorker } from "./messages.ts";
import { REFRESH_MS } from "./shared-stats.ts";
import { toWireError } from "./wire-error.ts";
import { WorkerCall } from "./worker-call.ts";

export interface WorkerCallsOptions {
  readonly host: MediaHost;
  readonly timers: Timers;
  readonly frames: FrameBatcher;
  /** Takes what tasks hear. */
  readonly samples: FrameBatcher;
  readonly post: (message: FromWorker) => void;
  /** The certificate of calls from now on. */
  readonly useCertificate: (certificate: DtlsCertificate) => void;
  /** The logger of one call. */
  readonly loggerFor: (call: number) => Logger;
  /** Brings the worker's own figures up to date. */
  readonly refreshFigures: () => void;
  /** Every call and the host are closed. */
  readonly onShutDown: () => void;
}

/** Every call of a worker: carries out the messages that come from the gateway's thread, in their order. */
export class WorkerCalls {
  readonly #options: WorkerCallsOptions;
  readonly #calls = new Map<number, WorkerCall>();
  /** As many as the gateway's thread keeps: it says which ones it has forgotten. */
  readonly #prompts = new Map<number, EncodedPrompt>();
  #refreshTimer: TimerHandle | null = null;

  constructor(options: WorkerCallsOptions) {
    this.#options = options;
  }

  handle(message: ToWorker): void {
    switch (message.type) {
      case "open":
        void this.#open(message);
        return;
      case "connect":
        this.#calls.get(message.call)?.perform((session) => session.connect());
        return;
      case "start-rtp":
        this.#calls.get(message.call)?.perform((session) => session.startRtp());
        return;
      case "want-frames":
        this.#calls.get(message.call)?.perform((session) => session.setFramesWanted(message.areWanted));
        return;
      case "task":
        this.#calls.get(message.call)?.startTask(message.task, message.start);
        return;
      case "task-order":
        this.#calls.get(message.call)?.orderTask(message.task, message.order);
        return;
      case "writes":
        readFrames(message.buffer, message.usedBytes, this.#write);
        return;
      case "close":
        void this.#close(message.call);
        return;
      case "prompt":
        this.#prompts.set(message.prompt, openPrompt(message.memory));
        return;
      case "forget-prompt":
        this.#prompts.delete(message.prompt);
        return;
      case "certificate":
        this.#options.useCertificate(importCertificate(message.certificate));
        return;
      case "shut-down":
        void this.#shutDown();
        return;
    }
  }

  readonly #write = (call: number, bytes: Uint8Array, task: number): void => {
    const samples = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
    this.#calls.get(call)?.orderTask(task, { type: "write", samples });
  };

  async #open({ call, offer, stats }: Extract<ToWorker, { type: "open" }>): Promise<void> {
    const { host, post, frames, samples, loggerFor } = this.#options;
    const logger = loggerFor(call);
    const findPrompt = (prompt: number): EncodedPrompt | null => this.#prompts.get(prompt) ?? null;
    const opening = new WorkerCall({ call, stats, post, frames, samples, findPrompt, logger });
    try {
      const session = await host.openSession(offer, opening, logger);
      this.#calls.set(call, opening);
      this.#refreshLater();
      opening.opened(session);
    } catch (error) {
      post({ type: "open-failed", call, error: toWireError(error) });
    }
  }

  async #close(call: number): Promise<void> {
    const closing = this.#calls.get(call);
    this.#calls.delete(call);
    await closing?.close();
  }

  async #shutDown(): Promise<void> {
    await Promise.all([...this.#calls.keys()].map((call) => this.#close(call)));
    await this.#options.host.close();
    this.#options.refreshFigures();
    if (this.#refreshTimer !== null) this.#options.timers.clearTimer(this.#refreshTimer);
    this.#options.onShutDown();
  }

  /** As long as there are calls, and once more. */
  #refreshLater(): void {
    this.#refreshTimer ??= this.#options.timers.setTimer(REFRESH_MS, () => {
      this.#refreshTimer = null;
      for (const call of this.#calls.values()) call.refresh();
      this.#options.frames.retry();
      this.#options.samples.retry();
      this.#options.refreshFigures();
      if (this.#calls.size > 0) this.#refreshLater();
    });
  }
}
