import type { Interruption, Playback, PlayResult } from "../../media/index.ts";

/** What a program asks of one `play`, whichever of its parts is playing, and how far it has come. */
export class PlayControl {
  #playback: Playback | null = null;
  #playedMs = 0;
  #isPaused = false;
  isStopped = false;

  stop(): void {
    this.isStopped = true;
    this.#playback?.stop();
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
    if (this.isStopped) playback.stop();
    const result = await playback.finished;
    this.#playedMs += result.playedMs;
    return result;
  }

  /** Of all parts. */
  result(outcome: PlayResult["outcome"], interruptedBy: Interruption | null = null): PlayResult {
    return { outcome, playedMs: this.#playedMs, interruptedBy };
  }
}
