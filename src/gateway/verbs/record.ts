import { join } from "node:path";
import { RingbackError } from "../../errors.ts";
import {
  finishRecording,
  type HostedSession,
  type MediaRecording,
  recordingFiles,
  type WorkSlices,
} from "../../media/index.ts";
import { type ConsentRequest, checkConsent } from "./consent.ts";
import type { DigitQueue } from "./digit-queue.ts";
import { optionError, requireKey, requireWhole } from "./option-checks.ts";
import type { Player } from "./player.ts";
import { type EndedBy, watchForEnd } from "./recording-end.ts";
import { type NotedRecording, noteRecordingEnd, noteRecordingStart } from "./recording-notes.ts";
import type { Recording, RecordingConsent, RecordingResult, RecordOptions } from "./types.ts";
import type { VerbCall } from "./verb-call.ts";

const MAX_MS = 24 * 3_600_000;
const BEEP = { tone: { frequencyHz: 1_000, durationMs: 500 } } as const;

/** @throws {RingbackError} `OPTION_INVALID`. */
export function checkRecordOptions(options: RecordOptions): void {
  checkConsent(options);
  const { channels = "both", layout = "stereo", format = "opus" } = options;
  if (!["caller", "business", "both"].includes(channels)) {
    throw optionError("channels", 'must be "caller", "business" or "both"');
  }
  if (!["stereo", "files"].includes(layout)) throw optionError("layout", 'must be "stereo" or "files"');
  if (!["opus", "wav"].includes(format)) throw optionError("format", 'must be "opus" or "wav"');
  requireWhole("maxMs", options.maxMs, 100, MAX_MS);
  requireWhole("endOnSilenceMs", options.endOnSilenceMs, 300, 600_000);
  requireKey("finishOnKey", options.finishOnKey);
}

export interface RecordParts {
  readonly call: VerbCall;
  readonly player: Player;
  readonly digits: DigitQueue;
  readonly consent: ConsentRequest;
  /** Where recordings without a file of their own go. */
  readonly folder: string;
  readonly slices: WorkSlices;
}

/** One recording, from the question whether it may be made to the finished file. */
export class CallRecordingTask implements Recording {
  readonly finished: Promise<RecordingResult>;
  readonly #parts: RecordParts;
  readonly #options: RecordOptions;
  /** Aborts when it is to end: what comes before the recording ends, too. */
  readonly #ending = new AbortController();
  #recording: MediaRecording | null = null;
  #isPaused = false;
  #endedBy: EndedBy | null = null;
  #noted: NotedRecording;

  constructor(parts: RecordParts, options: RecordOptions) {
    this.#parts = parts;
    this.#options = options;
    const { keeper, clock } = parts.call;
    const startedAt = Math.round(clock.wallMs());
    this.#noted = { id: keeper.createId("rec"), options, folder: parts.folder, startedAt };
    // Asked of a call that is over, it is nothing to note.
    const isNoted = parts.call.endReason === null;
    this.finished = this.#run().then((result) => {
      if (isNoted) noteRecordingEnd(keeper, this.#noted, result, Math.round(clock.wallMs()));
      return result;
    });
  }

  pause(): void {
    this.#isPaused = true;
    this.#recording?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#recording?.resume();
  }

  stop(): Promise<RecordingResult> {
    this.#stop("stopped");
    return this.finished;
  }

  #stop(endedBy: EndedBy): void {
    this.#endedBy ??= endedBy;
    this.#ending.abort();
    this.#recording?.stop();
  }

  async #run(): Promise<RecordingResult> {
    const { consent: mode, beep } = this.#options;
    const { signal } = this.#ending;
    const release = this.#followSignal();
    let consent: RecordingConsent = { mode, state: "not-asked", atMs: null, digit: null };
    try {
      consent = await this.#parts.consent.run({ ...this.#options, signal });
      if (consent.state === "declined") return absent("declined", consent);
      if (mode !== "none" && consent.state === "not-asked") return absent(this.#howOver(), consent);
      if (beep === true) await this.#parts.player.play(BEEP, { signal });
      const session = await this.#parts.call.media();
      if (session === null || this.#endedBy !== null) return absent(this.#howOver(), consent);
      return await this.#record(session, consent);
    } catch (error) {
      const cause =
        error instanceof RingbackError ? error : recordingFailed("The recording broke down.", error);
      this.#parts.call.logger.error({ err: error }, "a recording failed");
      return { ...absent("failed", consent), status: "failed", error: cause };
    } finally {
      release();
    }
  }

  /** @returns Stops following it. */
  #followSignal(): () => void {
    const { signal } = this.#options;
    const abort = (): void => this.#stop("aborted");
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted) abort();
    return () => signal?.removeEventListener("abort", abort);
  }

  async #record(session: HostedSession, consent: RecordingConsent): Promise<RecordingResult> {
    const { call, digits, folder, slices } = this.#parts;
    const { channels = "both", layout = "stereo", format = "opus", trim = false } = this.#options;
    // No part of the call's id: it holds the caller's number.
    const path = opusPath(this.#options.file ?? join(folder, `${this.#noted.id}.opus`), format);
    const recording = session.record({ path, channels, layout });
    this.#recording = recording;
    this.#noted = { ...this.#noted, startedAt: Math.round(call.clock.wallMs()) };
    noteRecordingStart(call.keeper, this.#noted, consent, recordingFiles({ path, channels, layout }));
    if (this.#isPaused) recording.pause();
    const release = watchForEnd(call, session, digits, this.#options, (endedBy) => this.#stop(endedBy));
    const media = await recording.finished;
    release();
    const { files, hasSound, error } = await finishRecording(media.files, { format, trim, slices });
    const failure = media.error ?? error;
    const isAbsent = media.status === "absent" || hasSound === false;
    return {
      status: failure !== null ? "failed" : isAbsent ? "absent" : "completed",
      endedBy: this.#endedBy ?? (failure === null ? "call-ended" : "failed"),
      files: files.map(({ path: file, channel, bytes, sha256 }) => ({ path: file, channel, bytes, sha256 })),
      durationMs: Math.max(0, ...files.map(({ durationMs }) => durationMs)),
      pausedMs: media.pausedMs,
      concealedMs: media.concealedMs,
      consent,
      error: failure === null ? null : recordingFailed(failure.message),
    };
  }

  #howOver(): EndedBy {
    if (this.#endedBy !== null) return this.#endedBy;
    // Something else was played in place of the announcement.
    return this.#parts.call.endReason === null ? "stopped" : "call-ended";
  }
}

/** Where it is recorded: a WAV file is made of an Opus file beside it. */
function opusPath(path: string, format: "opus" | "wav"): string {
  return format === "wav" ? path.replace(/\.wav$/i, ".opus") : path;
}

function absent(endedBy: EndedBy, consent: RecordingConsent): RecordingResult {
  return {
    status: "absent",
    endedBy,
    files: [],
    durationMs: 0,
    pausedMs: 0,
    concealedMs: 0,
    consent,
    error: null,
  };
}

function recordingFailed(reason: string, cause?: unknown): RingbackError<"RECORDING_FAILED"> {
  return new RingbackError("RECORDING_FAILED", reason, { details: { reason }, cause });
}
