import type { Clock } from "../platform/clock.ts";
import type { ArrivalTap, IncomingAudio } from "./incoming-audio.ts";
import type { OutgoingAudio } from "./outgoing-audio.ts";
import { CallRecorder } from "./recording/call-recorder.ts";
import type { RecordedMedia } from "./recording/recorded-media.ts";
import type { MediaRecording, RecorderOptions } from "./session-audio.ts";

/** A message and the whole call, and one more. */
const MAX_RECORDINGS = 3;

/** The recordings of one call that are running. */
export class SessionRecordings implements ArrivalTap {
  readonly #incoming: IncomingAudio;
  readonly #outgoing: OutgoingAudio;
  readonly #clock: Clock;
  readonly #running = new Set<CallRecorder>();
  #isClosed = false;

  constructor(incoming: IncomingAudio, outgoing: OutgoingAudio, clock: Clock) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#clock = clock;
  }

  start(options: RecorderOptions): MediaRecording {
    if (this.#isClosed) return notBegun(absentRecording());
    if (this.#running.size >= MAX_RECORDINGS) {
      const message = `A call has at most ${MAX_RECORDINGS} recordings at a time.`;
      return notBegun(failedRecording("not-begun", message));
    }
    const recorder = new CallRecorder({ ...options, fastestTransitMs: this.#incoming.fastestTransitMs });
    this.#running.add(recorder);
    this.#incoming.taps.add(this);
    this.#outgoing.onAudio = this.#onAudio;
    // It ends by itself when its files fail.
    void recorder.finished.then(() => this.#forget(recorder));
    const now = (): number => this.#clock.nowMs();
    return {
      finished: recorder.finished,
      pause: () => recorder.pause(now()),
      resume: () => recorder.resume(now()),
      stop: () => this.#stop(recorder, now()),
    };
  }

  onPacket(bytes: Uint8Array, offset: number, lengthBytes: number, timestamp: number, nowMs: number): void {
    for (const recorder of this.#running) recorder.caller(bytes, offset, lengthBytes, timestamp, nowMs);
  }

  onRestart(): void {
    for (const recorder of this.#running) recorder.callerRestarted();
  }

  tick(nowMs: number): void {
    if (this.#running.size === 0) return;
    for (const recorder of this.#running) recorder.tick(nowMs);
  }

  close(nowMs: number): void {
    this.#isClosed = true;
    for (const recorder of this.#running) this.#stop(recorder, nowMs);
  }

  readonly #onAudio = (payload: Uint8Array, nowMs: number): void => {
    for (const recorder of this.#running) recorder.business(payload, nowMs);
  };

  #stop(recorder: CallRecorder, nowMs: number): void {
    recorder.stop(nowMs);
    this.#forget(recorder);
  }

  #forget(recorder: CallRecorder): void {
    if (!this.#running.delete(recorder) || this.#running.size > 0) return;
    this.#incoming.taps.delete(this);
    this.#outgoing.onAudio = null;
  }
}

function notBegun(media: RecordedMedia): MediaRecording {
  return { finished: Promise.resolve(media), pause: () => {}, resume: () => {}, stop: () => {} };
}

const NO_FIGURES = { durationMs: 0, pausedMs: 0, concealedMs: 0, framesUnplaced: 0 };

/** A recording of a call that was over before it. */
export function absentRecording(): RecordedMedia {
  return { status: "absent", files: [], ...NO_FIGURES, error: null };
}

/** A recording of which nothing is known but that it failed, and which files there may be. */
export function failedRecording(
  code: string,
  message: string,
  files: RecordedMedia["files"] = [],
): RecordedMedia {
  return { status: "failed", files, ...NO_FIGURES, error: { code, message } };
}
