import type { EncodedPrompt } from "./encoded-prompt.ts";
import { RTP_SLOT_MS } from "./rtp-clock.ts";
import { OPUS_SILENCE } from "./silence.ts";

/** What the caller does that stops a playback. */
export type Interruption = "digit" | "speech";

/** How a playback ended, and how much of it was sent. */
export interface PlayResult {
  readonly outcome: "completed" | "stopped" | "replaced" | "interrupted" | "call-ended";
  /** Rounds of a loop add up. */
  readonly playedMs: number;
  /** What interrupted it, null when nothing did. */
  readonly interruptedBy: Interruption | null;
}

export interface PlaybackOptions {
  /** Start again at the end: until stopped, or this many rounds in all. Default false. */
  readonly loop?: boolean | number;
  /** What ends it. Default: nothing. */
  readonly interruptOn?: readonly Interruption[];
}

/** Something that is being played to the caller. */
export interface Playback {
  /** Resolves when it is over, however; never rejects. */
  readonly finished: Promise<PlayResult>;
  /** Ends it after the packet at hand. Idempotent. */
  stop(): void;
  /** Silence from the next packet on, until `resume`. */
  pause(): void;
  resume(): void;
}

/** What fills the slots of the outgoing stream. */
export interface OutgoingSource {
  readonly interruptOn: readonly Interruption[];
  /** The packet of the next slot, valid until the next one is taken; null when it is over. */
  take(): Uint8Array | null;
  end(outcome: PlayResult["outcome"], interruptedBy?: Interruption): void;
}

/** Prompts one after the other, and how far they have been sent. */
export class PromptPlayback implements Playback, OutgoingSource {
  readonly finished: Promise<PlayResult>;
  readonly interruptOn: readonly Interruption[];
  readonly #prompts: readonly EncodedPrompt[];
  readonly #durationMs: number;
  readonly #isLooped: boolean;
  #roundsLeft: number;
  #resolve: (result: PlayResult) => void = () => {};
  #isOver = false;
  #isPaused = false;
  #prompt = 0;
  #packet = 0;
  #sentPackets = 0;

  constructor(prompts: readonly EncodedPrompt[], options: PlaybackOptions = {}) {
    this.#prompts = prompts;
    this.interruptOn = options.interruptOn ?? [];
    this.#durationMs = prompts.reduce((sum, prompt) => sum + prompt.durationMs, 0);
    const isEmpty = prompts.every((prompt) => prompt.packetCount === 0);
    this.#roundsLeft = isEmpty ? 1 : roundsOf(options.loop);
    this.#isLooped = this.#roundsLeft > 1;
    this.finished = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  take(): Uint8Array | null {
    if (this.#isOver) return null;
    if (this.#isPaused) return OPUS_SILENCE;
    const packet = this.#next();
    if (packet === null) {
      this.end("completed");
      return null;
    }
    this.#packet += 1;
    this.#sentPackets += 1;
    return packet;
  }

  stop(): void {
    this.end("stopped");
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
  }

  end(outcome: PlayResult["outcome"], interruptedBy: Interruption | null = null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const sentMs = this.#sentPackets * RTP_SLOT_MS;
    // The last packet of a prompt is filled up with silence, which is no part of it.
    const playedMs = this.#isLooped ? sentMs : Math.min(sentMs, this.#durationMs);
    this.#resolve({ outcome, playedMs, interruptedBy });
  }

  #next(): Uint8Array | null {
    for (;;) {
      const packet = this.#prompts[this.#prompt]?.packet(this.#packet);
      if (packet !== undefined) return packet;
      this.#packet = 0;
      this.#prompt += 1;
      if (this.#prompt < this.#prompts.length) continue;
      this.#roundsLeft -= 1;
      if (this.#roundsLeft <= 0) return null;
      this.#prompt = 0;
    }
  }
}

function roundsOf(loop: boolean | number | undefined): number {
  if (loop === true) return Number.POSITIVE_INFINITY;
  return typeof loop === "number" ? Math.max(1, loop) : 1;
}
