import type { CallPhase, LocalEndReason } from "../core/call/types.ts";
import type { DigitOptions, MediaStats, PlayResult, SendDigitsOutcome } from "../media/index.ts";
import type { CallerIdentity, ConnectEvent } from "../whatsapp/call-event.ts";
import type { Call, CallEnd, CallEvents, PlayOptions } from "./call.ts";
import type { SafeEmitter } from "./safe-emitter.ts";
import type { Timeline, TimelineEntry } from "./timeline.ts";

/** What a handle needs of the session behind it. */
export interface CallControl {
  readonly phase: CallPhase;
  readonly timeline: Timeline;
  readonly events: SafeEmitter<CallEvents>;
  readonly ended: Promise<CallEnd>;
  answer(): Promise<void>;
  reject(): Promise<void>;
  hangUp(reason: LocalEndReason): Promise<void>;
  play(file: string, options: PlayOptions): Promise<PlayResult>;
  sendDigits(digits: string, options: DigitOptions): Promise<SendDigitsOutcome>;
  setFramesWanted(areWanted: boolean): void;
  stats(): MediaStats | null;
}

/** The user's view of a session: what may be asked of a call, and nothing of how it is done. */
export class CallHandle implements Call {
  readonly id: string;
  readonly phoneNumberId: string;
  readonly caller: CallerIdentity;
  readonly deeplinkPayload: string | null;
  readonly ctaPayload: string | null;
  readonly #session: CallControl;
  readonly #onFrameError: (error: unknown) => void;
  #onFrame: Call["onFrame"] = null;

  constructor(session: CallControl, event: ConnectEvent, onFrameError: (error: unknown) => void) {
    this.#session = session;
    this.#onFrameError = onFrameError;
    this.id = event.callId;
    this.phoneNumberId = event.phoneNumberId;
    this.caller = event.caller;
    this.deeplinkPayload = event.deeplinkPayload;
    this.ctaPayload = event.ctaPayload;
  }

  get onFrame(): Call["onFrame"] {
    return this.#onFrame;
  }

  set onFrame(onFrame: Call["onFrame"]) {
    // Programs without types may take it off with undefined.
    this.#onFrame = onFrame ?? null;
    this.#session.setFramesWanted(this.#onFrame !== null);
  }

  /** Hands a received packet to the program, if it wants it. */
  deliverFrame(opusPayload: Uint8Array, rtpTimestamp: number): void {
    try {
      const result: unknown = this.#onFrame?.(opusPayload, rtpTimestamp);
      if (result instanceof Promise) result.catch((error: unknown) => this.#dropOnFrame(error));
    } catch (error) {
      this.#dropOnFrame(error);
    }
  }

  get phase(): CallPhase {
    return this.#session.phase;
  }

  get timeline(): readonly TimelineEntry[] {
    return this.#session.timeline.entries;
  }

  get ended(): Promise<CallEnd> {
    return this.#session.ended;
  }

  on<K extends keyof CallEvents>(event: K, listener: (...args: CallEvents[K]) => void): this {
    this.#session.events.on(event, listener);
    return this;
  }

  off<K extends keyof CallEvents>(event: K, listener: (...args: CallEvents[K]) => void): this {
    this.#session.events.off(event, listener);
    return this;
  }

  answer(): Promise<void> {
    return this.#session.answer();
  }

  reject(): Promise<void> {
    return this.#session.reject();
  }

  hangUp(): Promise<void> {
    return this.#session.hangUp("local-hangup");
  }

  play(file: string, options: PlayOptions = {}): Promise<PlayResult> {
    return this.#session.play(file, options);
  }

  sendDigits(digits: string, options: DigitOptions = {}): Promise<SendDigitsOutcome> {
    return this.#session.sendDigits(digits, options);
  }

  stats(): MediaStats | null {
    return this.#session.stats();
  }

  /** Fifty failures a second would help nobody. */
  #dropOnFrame(error: unknown): void {
    this.onFrame = null;
    this.#onFrameError(error);
  }
}
