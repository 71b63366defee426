import type { AudioDescription } from "../../core/sdp/model.ts";
import { type DtlsCertificate, exportCertificate } from "../../core/transport/dtls/dtls-certificate.ts";
import type { Logger } from "../../logger.ts";
import { type Clock, clockOriginMs } from "../../platform/clock.ts";
import type { Timers } from "../../platform/timers.ts";
import type { WorkerThread, WorkerThreadListener } from "../../platform/worker-thread.ts";
import type { PromptMemory } from "../encoded-prompt.ts";
import type { HostedSession, MediaWorkerStatus } from "../media-host.ts";
import type { MediaSessionListener } from "../media-session.ts";
import type { CertificateSource } from "../transport-certificate.ts";
import { transportFailed } from "../transport-error.ts";
import { readFrames } from "./frame-buffer.ts";
import type { FromWorker, LogLine, ToWorker, WorkerStart } from "./messages.ts";
import type { PromptReceiver, PromptShelf } from "./prompt-shelf.ts";
import { StatsMemory, workerFigures } from "./shared-stats.ts";
import { fromWireError } from "./wire-error.ts";
import { WorkerLifecycle, type WorkMessage } from "./worker-lifecycle.ts";
import { WorkerSession } from "./worker-session.ts";
import { WorkerWatch } from "./worker-watch.ts";
import { WriteBatcher } from "./write-batch.ts";

/** Starts the thread of a worker. */
export type StartMediaThread = (
  start: WorkerStart,
  listener: WorkerThreadListener<FromWorker>,
) => WorkerThread<ToWorker>;

export interface MediaWorkerOptions {
  /** From 1. */
  readonly number: number;
  readonly engine: WorkerStart["engine"];
  readonly startThread: StartMediaThread;
  readonly prompts: PromptShelf;
  /** Of all workers. */
  readonly certificates: CertificateSource;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  /** Effort of live encoding, 0-10. */
  readonly encoderComplexity: number;
}

/** A call from the request to open it until the worker's last word about it. */
interface WorkerCallEntry {
  readonly listener: MediaSessionListener;
  readonly logger: Logger;
  readonly stats: Float64Array<SharedArrayBuffer>;
  readonly resolve: (session: HostedSession) => void;
  readonly reject: (error: unknown) => void;
  /** Null: not open yet. */
  session: WorkerSession | null;
}

/** One worker and its calls, as this thread sees them. */
export class MediaWorker implements PromptReceiver {
  readonly #options: MediaWorkerOptions;
  readonly #logger: Logger;
  readonly #lifecycle: WorkerLifecycle;
  /** By which all goes that is asked of a call. */
  readonly #writes: WriteBatcher;
  readonly #watch: WorkerWatch;
  readonly #figures = new Float64Array(new SharedArrayBuffer(workerFigures.length * 8));
  readonly #statsMemory = new StatsMemory();
  readonly #calls = new Map<number, WorkerCallEntry>();
  #beats = new Int32Array(new SharedArrayBuffer(4));
  #batchesTaken = new Int32Array(new SharedArrayBuffer(8));
  #lastCall = 0;
  /** The one that the thread has. */
  #certificate: DtlsCertificate | null = null;

  constructor(options: MediaWorkerOptions) {
    this.#options = options;
    this.#logger = options.logger.child({ mediaWorker: options.number });
    this.#lifecycle = new WorkerLifecycle({
      startThread: (listener) => this.#startThread(listener),
      clock: options.clock,
      timers: options.timers,
      onMessage: (message) => this.#onMessage(message),
      onCrash: (error, pauseMs) => this.#onCrash(error, pauseMs),
    });
    this.#writes = new WriteBatcher({
      post: (message, transfer) => this.#lifecycle.post(message, transfer),
      clock: options.clock,
      timers: options.timers,
    });
    this.#watch = new WorkerWatch({
      timers: options.timers,
      readBeats: () => Atomics.load(this.#beats, 0),
      hasCalls: () => this.#calls.size > 0,
      onSilent: (silentMs) =>
        this.#lifecycle.breakDown(new Error(`The worker has done nothing for ${silentMs} ms.`)),
    });
  }

  get isUp(): boolean {
    return this.#lifecycle.ready !== null;
  }

  /** Calls that it has. */
  get load(): number {
    return this.#calls.size;
  }

  /** @throws {RingbackError} `OPTION_INVALID`; `MEDIA_ENGINE_FAILED`. */
  async start(): Promise<void> {
    await this.#lifecycle.start();
    this.#shareCertificate();
  }

  /** @throws {RingbackError} `MEDIA_ENGINE_FAILED`. */
  openSession(
    offer: AudioDescription,
    listener: MediaSessionListener,
    logger: Logger = this.#logger,
  ): Promise<HostedSession> {
    this.#shareCertificate();
    return new Promise((resolve, reject) => {
      this.#lastCall += 1;
      const call = this.#lastCall;
      const stats = this.#statsMemory.take();
      this.#calls.set(call, { listener, logger, stats, resolve, reject, session: null });
      this.#lifecycle.post({ type: "open", call, offer, stats });
      this.#watch.start();
    });
  }

  status(): MediaWorkerStatus {
    const { ready, restarts } = this.#lifecycle;
    return {
      isUp: ready !== null,
      port: ready?.port ?? this.#options.engine.port ?? null,
      addresses: ready?.addresses ?? [],
      calls: this.load,
      ...workerFigures.read(this.#figures),
      restarts,
    };
  }

  /** Closes its calls, and ends. Idempotent. */
  async close(): Promise<void> {
    this.#watch.stop();
    for (const { session } of this.#calls.values()) session?.close();
    await this.#lifecycle.close();
    this.#endCalls("The media host was closed.", "closed");
  }

  addPrompt(prompt: number, memory: PromptMemory): void {
    this.#lifecycle.post({ type: "prompt", prompt, memory });
  }

  forgetPrompt(prompt: number): void {
    this.#lifecycle.post({ type: "forget-prompt", prompt });
  }

  /** Sends it when the thread is new, or the certificate. */
  #shareCertificate(): void {
    const certificate = this.#options.certificates.current();
    if (certificate === this.#certificate) return;
    this.#certificate = certificate;
    this.#lifecycle.post({ type: "certificate", certificate: exportCertificate(certificate) });
  }

  #startThread(listener: WorkerThreadListener<FromWorker>): WorkerThread<ToWorker> {
    this.#figures.fill(0);
    this.#certificate = null;
    this.#beats = new Int32Array(new SharedArrayBuffer(4));
    this.#batchesTaken = new Int32Array(new SharedArrayBuffer(8));
    const { engine, startThread } = this.#options;
    const start = {
      engine,
      clockOriginMs: clockOriginMs(),
      figures: this.#figures,
      beats: this.#beats,
      batchesTaken: this.#batchesTaken,
      encoderComplexity: this.#options.encoderComplexity,
    };
    return startThread(start, listener);
  }

  #onMessage(message: WorkMessage): void {
    if (message.type === "frames") {
      // First, so that a listener that throws does not leave the worker waiting for room.
      Atomics.add(this.#batchesTaken, 0, 1);
      readFrames(message.buffer, message.usedBytes, this.#onFrame);
    } else if (message.type === "samples") {
      Atomics.add(this.#batchesTaken, 1, 1);
      readFrames(message.buffer, message.usedBytes, this.#onSamples);
    } else if (message.type === "log") this.#log(message);
    else this.#onCallMessage(message);
  }

  #onCallMessage(message: Extract<WorkMessage, { readonly call: number }>): void {
    const entry = this.#calls.get(message.call);
    if (entry === undefined) return;
    if (message.type === "opened") {
      entry.session = this.#createSession(message.call, message.local, entry);
      entry.resolve(entry.session);
    } else if (message.type === "open-failed") {
      this.#calls.delete(message.call);
      entry.reject(fromWireError(message.error));
    } else if (message.type === "closed") {
      this.#calls.delete(message.call);
      entry.session?.workerIsDone();
    } else entry.session?.handle(message);
  }

  #createSession(
    call: number,
    local: WorkerSession["local"],
    { listener, stats }: WorkerCallEntry,
  ): WorkerSession {
    return new WorkerSession({
      call,
      local,
      listener,
      stats,
      post: (request, transfer) => this.#writes.post(request, transfer),
      sharePrompt: (prompt) => this.#options.prompts.share(prompt, this),
    });
  }

  readonly #onFrame = (call: number, payload: Uint8Array, rtpTimestamp: number): void => {
    this.#calls.get(call)?.session?.takeFrame(payload, rtpTimestamp);
  };

  readonly #onSamples = (call: number, bytes: Uint8Array, task: number): void => {
    const samples = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
    this.#calls.get(call)?.session?.takeSamples(task, samples);
  };

  #log({ level, message, fields, errors, call }: LogLine): void {
    const logger = (call === null ? undefined : this.#calls.get(call)?.logger) ?? this.#logger;
    const thrown = Object.entries(errors).map(([key, error]) => [key, fromWireError(error)]);
    logger[level]({ ...fields, ...Object.fromEntries(thrown) }, message);
  }

  #onCrash(error: unknown, pauseMs: number): void {
    this.#watch.stop();
    this.#logger.error({ err: error, calls: this.load, pauseMs }, "media worker broke down");
    this.#options.prompts.removeReceiver(this);
    this.#endCalls("The media worker broke down.", "worker crashed", error);
  }

  /** There is no worker any more that would have the last word about them. */
  #endCalls(message: string, reason: string, cause?: unknown): void {
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const { session, reject } of calls) {
      if (session !== null) session.workerIsDone();
      else reject(transportFailed(message, reason, cause));
    }
  }
}
