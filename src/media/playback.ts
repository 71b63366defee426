import type { EncodedPrompt } from "./encoded-prompt.ts";
import { RTP_SLOT_MS } from "./rtp-clock.ts";

/** How a playback ended, and how much of it was sent. */
export interface PlayResult {
  readonly outcome: "completed" | "stopped" | "replaced" | "call-ended";
  /** Rounds of a loop add up. */
  readonly playedMs: number;
}

/** A prompt that is being played to the caller. */
export interface Playback {
  /** Resolves when it is over, however; never rejects. */
  readonly finished: Promise<PlayResult>;
  /** Ends it after the packet at hand. Idempotent. */
  stop(): void;
}

/** A prompt and how far it has been sent. */
export class PromptPlayback implements Playback {
  readonly finished: Promise<PlayResult>;
  readonly #prompt: EncodedPrompt;
  readonly #isLooped: boolean;
  #resolve: (result: PlayResult) => void = () => {};
  #isOver = false;
  #next = 0;
  #sent = 0;

  constructor(prompt: EncodedPrompt, isLooped: boolean) {
    this.#prompt = prompt;
    this.#isLooped = isLooped;
    this.finished = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** The packet of the next slot; null when it is over. */
  take(): Uint8Array | null {
    if (this.#isOver) return null;
    if (this.#next >= this.#prompt.packetCount && this.#isLooped) this.#next = 0;
    const packet = this.#prompt.packet(this.#next);
    if (packet === undefined) {
      this.end("completed");
      return null;
    }
    this.#next += 1;
    this.#sent += 1;
    return packet;
  }

  stop(): void {
    this.end("stopped");
  }

  end(outcome: PlayResult["outcome"]): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const sentMs = this.#sent * RTP_SLOT_MS;
    // The last packet is filled up with silence, which is no part of the prompt.
    this.#resolve({ outcome, playedMs: this.#isLooped ? sentMs : Math.min(sentMs, this.#prompt.durationMs) });
  }
}
