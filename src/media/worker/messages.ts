import type { AudioDescription, LocalAudio } from "../../core/sdp/model.ts";
import type { ExportedCertificate } from "../../core/transport/dtls/dtls-certificate.ts";
import type { Digit } from "../../core/transport/rtp/telephone-event.ts";
import type { DigitOptions } from "../../core/transport/rtp/telephone-event-sender.ts";
import type { Logger } from "../../logger.ts";
import type { PromptMemory } from "../encoded-prompt.ts";
import type { MediaDownReason } from "../engine.ts";
import type { SendDigitsOutcome } from "../media-session.ts";
import type { PlayResult } from "../playback.ts";
import type { TransportEngineOptions } from "../transport-options.ts";
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
  /** Shared: one number, how many batches of frames were taken in. */
  readonly batchesTaken: Int32Array<SharedArrayBuffer>;
}

/** To a media worker. `call`, `playback` and `request` are numbers that the sender gives, never again for something else. */
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
  /** `prompt` was sent before. */
  | {
      readonly type: "play";
      readonly call: number;
      readonly playback: number;
      readonly prompt: number;
      readonly loop: boolean;
    }
  | { readonly type: "stop"; readonly call: number; readonly playback: number }
  | {
      readonly type: "send-digits";
      readonly call: number;
      readonly request: number;
      readonly digits: string;
      readonly options: DigitOptions;
    }
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
  | {
      readonly type: "played";
      readonly call: number;
      readonly playback: number;
      readonly result: PlayResult;
    }
  | {
      readonly type: "digits-sent";
      readonly call: number;
      readonly request: number;
      readonly outcome: SendDigitsOutcome;
    }
  | {
      readonly type: "digits-refused";
      readonly call: number;
      readonly request: number;
      readonly error: WireError;
    }
  /** The answer to `close`, and the last word about the call. */
  | { readonly type: "closed"; readonly call: number }
  /** Of all calls; the buffer was transferred, `usedBytes` of it count. */
  | { readonly type: "frames"; readonly buffer: ArrayBuffer; readonly usedBytes: number }
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
