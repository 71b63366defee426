import { RingbackError } from "../../errors.ts";
import { levelDbfs } from "./level.ts";

const SAMPLES_PER_MS = 48;
const WINDOW_MS = 5;
const WINDOW_SAMPLES = WINDOW_MS * SAMPLES_PER_MS;
const DEFAULT_QUIET_DBFS = -50;
const MAX_QUIET_MS = 60_000;

/** Nothing louder than -50 dBFS for this long, 20 to 60 000 ms. */
export interface PhoneQuiet {
  readonly type: "quiet";
  readonly forMs: number;
}

/** Waits for the end of what is said: for a time without any sound. Packets must come in all the while. */
export class QuietDetector {
  readonly #forMs: number;
  #quietSinceMs: number | null = null;
  #heardAtMs: number | null = null;

  /** @throws {RingbackError} `OPTION_INVALID` for `forMs`. */
  constructor({ forMs }: PhoneQuiet) {
    if (!(forMs >= 20 && forMs <= MAX_QUIET_MS)) {
      throw new RingbackError("OPTION_INVALID", `forMs must be 20–${MAX_QUIET_MS}, got ${forMs}`, {
        details: { option: "forMs" },
      });
    }
    this.#forMs = forMs;
  }

  /** When the quiet began that has lasted long enough; null: not yet. */
  get heardAtMs(): number | null {
    return this.#heardAtMs;
  }

  add(pcm: Int16Array, _positionMs: number, atMs: number): void {
    for (let start = 0; start + WINDOW_SAMPLES <= pcm.length; start += WINDOW_SAMPLES) {
      const startedAtMs = atMs + start / SAMPLES_PER_MS;
      if (levelDbfs(pcm, start, WINDOW_SAMPLES) > DEFAULT_QUIET_DBFS) {
        this.#quietSinceMs = null;
      } else {
        this.#quietSinceMs ??= startedAtMs;
        if (startedAtMs + WINDOW_MS - this.#quietSinceMs >= this.#forMs)
          this.#heardAtMs ??= this.#quietSinceMs;
      }
    }
  }
}
