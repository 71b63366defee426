import { createDecoder, type OpusDecoderHandle } from "libopus-wasm";
import { RingbackError } from "../../errors.ts";
import { type PhoneQuiet, QuietDetector } from "./quiet-detector.ts";
import { type PhoneSound, SoundDetector } from "./sound-detector.ts";

const MAX_WAITS = 64;
const DEFAULT_TIMEOUT_MS = 10_000;
const MAX_TIMEOUT_MS = 3_600_000;

export interface HearOptions {
  /** 0–3 600 000 ms. Default 10 000. */
  readonly timeoutMs?: number;
}

interface Wait {
  readonly detector: {
    readonly heardAtMs: number | null;
    add(pcm: Int16Array, positionMs: number, atMs: number): void;
  };
  readonly resolve: (heardAtMs: number | null) => void;
  readonly timer: NodeJS.Timeout;
}

/** Decodes what comes in as it comes, but only while somebody waits for a sound. */
export class Listening {
  readonly #waits = new Set<Wait>();
  #decoder: OpusDecoderHandle | null = null;
  #isClosed = false;

  get isActive(): boolean {
    return this.#waits.size > 0;
  }

  /**
   * Resolves with the time at which the sound began, or with null after the timeout or the end of the call.
   * @throws {RingbackError} `OPTION_INVALID`.
   */
  async hears(
    sound: PhoneSound | PhoneQuiet,
    { timeoutMs = DEFAULT_TIMEOUT_MS }: HearOptions,
  ): Promise<number | null> {
    const detector = sound.type === "quiet" ? new QuietDetector(sound) : new SoundDetector(sound);
    if (!(timeoutMs >= 0 && timeoutMs <= MAX_TIMEOUT_MS)) {
      throw invalid("timeoutMs", `timeoutMs must be 0–${MAX_TIMEOUT_MS}, got ${timeoutMs}`);
    }
    if (this.#waits.size === MAX_WAITS) throw invalid("hears", `at most ${MAX_WAITS} can wait for a sound`);
    if (this.#isClosed) return null;
    return await new Promise<number | null>((resolve) => {
      const timer = setTimeout(() => this.#settle(wait, null), timeoutMs);
      const wait: Wait = { detector, resolve, timer };
      this.#waits.add(wait);
      void this.#openDecoder();
    });
  }

  /** Takes an Opus packet: `positionMs` by its timestamp, `atMs` when it arrived. Does nothing unless somebody waits. */
  add(packet: Uint8Array, positionMs: number, atMs: number): void {
    if (this.#decoder === null) return;
    const pcm = decode(this.#decoder, packet);
    if (pcm === null) return;
    for (const wait of this.#waits) {
      wait.detector.add(pcm, positionMs, atMs);
      const { heardAtMs } = wait.detector;
      if (heardAtMs !== null) this.#settle(wait, heardAtMs);
    }
  }

  /** Whoever waits is told that nothing was heard. */
  close(): void {
    this.#isClosed = true;
    for (const wait of this.#waits) this.#settle(wait, null);
  }

  #settle(wait: Wait, heardAtMs: number | null): void {
    clearTimeout(wait.timer);
    this.#waits.delete(wait);
    wait.resolve(heardAtMs);
    if (this.#waits.size > 0) return;
    this.#decoder?.free();
    this.#decoder = null;
  }

  async #openDecoder(): Promise<void> {
    const decoder = await createDecoder({ channels: 1, sampleRate: 48_000 });
    if (this.#decoder === null && this.#waits.size > 0) this.#decoder = decoder;
    else decoder.free();
  }
}

/** Null: no Opus. */
function decode(decoder: OpusDecoderHandle, packet: Uint8Array): Int16Array | null {
  try {
    return decoder.decode(packet);
  } catch {
    return null;
  }
}

function invalid(option: string, message: string): RingbackError {
  return new RingbackError("OPTION_INVALID", message, { details: { option } });
}
