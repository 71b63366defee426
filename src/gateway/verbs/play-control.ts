import type { Interruption, Playback, PlayResult } from "../../media/index.ts";

/** What a program asks of one `play`, whichever of its parts is playing, and how far it has come. */
export class PlayControl {
  readonly #stopping = new AbortController();
  #playback: Playback | null = null;
  #playedMs = 0;
  #isPaused = false;

  /** Aborts at `stop`, and at `giveUp`. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  stop(): void {
    this.giveUp();
    this.#playback?.stop();
  }

  /** The call is over: nothing is waited for any more. */
  giveUp(): void {
    this.#stopping.abort();
  }

  setPaused(isPaused: boolean): void {
    this.#isPaused = isPaused;
    if (isPaused) this.#playback?.pause();
    else this.#playback?.resume();
  }

  /** Applies what is asked to the part that plays from now on. Resolves when that is over. */
  async follow(playback: Playback): Promise<PlayResult> {
    this.#playback = playback;
    if (this.#isPaused) playback.pause();
    if (this.signal.aborted) playback.stop();
    const result = await playback.finished;
    this.#playedMs += result.playedMs;
    return result;
  }

  /** Of all parts. */
  result(outcome: PlayResult["outcome"], interruptedBy: Interruption | null = null): PlayResult {
    return { outcome, playedMs: this.#playedMs, interruptedBy };
  }
}
