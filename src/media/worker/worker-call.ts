import type { Digit } from "../../core/transport/rtp/telephone-event.ts";
import type { Logger } from "../../logger.ts";
import type { EncodedPrompt } from "../encoded-prompt.ts";
import type { MediaDownReason } from "../engine.ts";
import type { HostedSession } from "../media-host.ts";
import type { MediaSessionListener } from "../media-session.ts";
import type { FrameBatcher } from "./frame-batch.ts";
import type { FromWorker } from "./messages.ts";
import { callStats } from "./shared-stats.ts";
import type { TaskOrder, TaskStart } from "./tasks.ts";
import { WorkerTasks } from "./worker-tasks.ts";

export interface WorkerCallOptions {
  readonly call: number;
  /** Shared with the other thread. */
  readonly stats: Float64Array;
  readonly post: (message: FromWorker) => void;
  readonly frames: FrameBatcher;
  readonly samples: FrameBatcher;
  readonly findPrompt: (prompt: number) => EncodedPrompt | null;
  readonly logger: Logger;
}

/** One call in its worker: does what the messages ask of its session, and reports as messages what comes of it. */
export class WorkerCall implements MediaSessionListener {
  readonly #call: number;
  readonly #stats: Float64Array;
  readonly #post: (message: FromWorker) => void;
  readonly #frames: FrameBatcher;
  readonly #logger: Logger;
  readonly #tasks: WorkerTasks;
  #session: HostedSession | null = null;
  #wasConnected = false;

  constructor(options: WorkerCallOptions) {
    this.#call = options.call;
    this.#stats = options.stats;
    this.#post = options.post;
    this.#frames = options.frames;
    this.#logger = options.logger;
    this.#tasks = new WorkerTasks(options);
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

  startTask(task: number, start: TaskStart): void {
    this.perform((session) => this.#tasks.start(task, start, session));
  }

  orderTask(task: number, order: TaskOrder): void {
    this.perform(() => this.#tasks.obey(task, order));
  }

  /** The last word about a call comes when what became of its tasks has gone. */
  async close(): Promise<void> {
    this.perform((session) => session.close());
    this.refresh();
    this.#session = null;
    await this.#tasks.settled();
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
