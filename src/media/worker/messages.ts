import type { AudioDescription, LocalAudio } from "../../core/sdp/model.ts";
import type { ExportedCertificate } from "../../core/transport/dtls/dtls-certificate.ts";
import type { Digit } from "../../core/transport/rtp/telephone-event.ts";
import type { Logger } from "../../logger.ts";
import type { PromptMemory } from "../encoded-prompt.ts";
import type { MediaDownReason } from "../engine.ts";
import type { TransportEngineOptions } from "../transport-options.ts";
import type { TaskNews, TaskOrder, TaskResult, TaskStart } from "./tasks.ts";
import type { WireError } from "./wire-error.ts";

/** What a media worker is started with. */
export interface WorkerStart {
  readonly engine: Pick<TransportEngineOptions, "bindAddress" | "port" | "extraPorts" | "publicAddress">;
  /** Origin of the clock that the starting thread goes by: see `clockOriginMs`. */
  readonly clockOriginMs: number;
  /** Shared: the worker's `WorkerFigures`. */
  readonly figures: Float64Array<SharedArrayBuffer>;
  /** Shared: one number that the worker counts up every 200 ms while it has calls. */
  readonly beats: Int32Array<SharedArrayBuffer>;
  /** Shared: two numbers, how many batches of frames, and of samples, were taken in. */
  readonly batchesTaken: Int32Array<SharedArrayBuffer>;
  /** Effort of live encoding, 0-10. */
  readonly encoderComplexity: number;
}

/** To a media worker. `call` and `task` are numbers that the sender gives, never again for something else. */
export type ToWorker =
  /** `stats` is shared: the worker keeps the call's `MediaStats` in it. */
  | {
      readonly type: "open";
      readonly call: number;
      readonly offer: AudioDescription;
      readonly stats: Float64Array<SharedArrayBuffer>;
    }
  | { readonly type: "connect" | "start-rtp" | "close"; readonly call: number }
  | { readonly type: "want-frames"; readonly call: number; readonly areWanted: boolean }
  | { readonly type: "task"; readonly call: number; readonly task: number; readonly start: TaskStart }
  | { readonly type: "task-order"; readonly call: number; readonly task: number; readonly order: TaskOrder }
  /** Orders to write, of all calls: see `WriteBatcher`. The buffer was transferred, `usedBytes` of it count. */
  | { readonly type: "writes"; readonly buffer: ArrayBuffer; readonly usedBytes: number }
  | { readonly type: "prompt"; readonly prompt: number; readonly memory: PromptMemory }
  /** Will not be played again. */
  | { readonly type: "forget-prompt"; readonly prompt: number }
  /** Of calls that are opened from now on: one for all workers of the process. */
  | { readonly type: "certificate"; readonly certificate: ExportedCertificate }
  /** End every call, release everything, and be gone. */
  | { readonly type: "shut-down" };

/** From a media worker. */
export type FromWorker =
  | { readonly type: "ready"; readonly port: number; readonly addresses: readonly string[] }
  /** The worker ends after it. */
  | { readonly type: "start-failed"; readonly error: WireError }
  | { readonly type: "opened"; readonly call: number; readonly local: LocalAudio }
  | { readonly type: "open-failed"; readonly call: number; readonly error: WireError }
  | {
      readonly type: "ice-connected" | "connected" | "first-rtp-in" | "first-rtp-out";
      readonly call: number;
    }
  /** `lost`: it was connected; `failed`: it never was. */
  | {
      readonly type: "lost" | "failed";
      readonly call: number;
      readonly reason: MediaDownReason | undefined;
    }
  | { readonly type: "digit"; readonly call: number; readonly digit: Digit }
  | { readonly type: "task-news"; readonly call: number; readonly task: number; readonly news: TaskNews }
  | { readonly type: "task-done"; readonly call: number; readonly task: number; readonly result: TaskResult }
  | { readonly type: "task-refused"; readonly call: number; readonly task: number; readonly error: WireError }
  /** The answer to `close`, and the last word about the call. */
  | { readonly type: "closed"; readonly call: number }
  /** Packets of all calls. The buffer was transferred, `usedBytes` of it count. */
  | { readonly type: "frames"; readonly buffer: ArrayBuffer; readonly usedBytes: number }
  /** What the tasks of all calls hear, in the same way. */
  | { readonly type: "samples"; readonly buffer: ArrayBuffer; readonly usedBytes: number }
  | LogLine;

/** A line for the gateway's log. */
export interface LogLine {
  readonly type: "log";
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: object;
  /** Those fields that are errors. */
  readonly errors: Readonly<Record<string, WireError>>;
  /** Whom it is about; null: the worker as a whole. */
  readonly call: number | null;
}

export type LogLevel = Exclude<keyof Logger, "child">;
