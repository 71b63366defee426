import type { HostedSession, MarkOutcome, OpusRateHz, PcmWriter, Playback } from "../../media/index.ts";
import { optionError } from "./option-checks.ts";

/** Samples go over in pieces of this length at most, each followed by a mark: so much is known of what was played. */
const PIECE_MS = 200;
/** Pieces that wait before whoever writes has to wait, too: 1 s. */
const MAX_WAITING_PIECES = 5;
/** Of those who do not wait: what comes behind so much is dropped. */
const MAX_UNWRITTEN_MS = 10_000;

type PcmOptions = Omit<Parameters<HostedSession["playPcm"]>[0], "rateHz">;

/** Samples to a call, with marks that come back and room to wait for. */
export class PcmChannel {
  readonly playback: Playback;
  readonly #writer: PcmWriter;
  readonly #pieceSamples: number;
  readonly #maxUnwritten: number;
  readonly #marks = new Map<number, (outcome: MarkOutcome) => void>();
  #lastMark = 0;
  /** What was asked for is done one after the other, whether somebody waits for it or not. */
  #turn: Promise<unknown> = Promise.resolve();
  /** Samples that wait for their turn. */
  #unwritten = 0;
  /** What lies between the last mark and the end of what was written. */
  #unmarked = 0;
  /** Marks of pieces that were not played yet, the oldest first. */
  readonly #waiting: Promise<MarkOutcome>[] = [];
  /** Counts the clearings: what was being written at one is not written on. */
  #clears = 0;

  constructor(session: HostedSession, rateHz: OpusRateHz, options: PcmOptions) {
    this.#pieceSamples = (rateHz * PIECE_MS) / 1_000;
    this.#maxUnwritten = (rateHz * MAX_UNWRITTEN_MS) / 1_000;
    this.#writer = session.playPcm(
      { ...options, rateHz },
      {
        onMark: (mark, outcome) => {
          this.#marks.get(mark)?.(outcome);
          this.#marks.delete(mark);
        },
      },
    );
    this.playback = this.#writer;
  }

  /**
   * Writes a copy. Resolves when less than a second waits to be played, or when nothing is played any more.
   *
   * @throws {RingbackError} `OPTION_INVALID`.
   */
  write(samples: Int16Array): Promise<void> {
    requireSamples(samples);
    if (this.#unwritten >= this.#maxUnwritten) return Promise.resolve();
    const clears = this.#clears;
    const copy = samples.slice();
    this.#unwritten += copy.length;
    return this.#inTurn(async () => {
      this.#unwritten -= copy.length;
      await this.#write(copy, clears);
    });
  }

  /** Resolves when all that was written so far was played, dropped, or will not be played any more. */
  mark(): Promise<MarkOutcome> {
    const clears = this.#clears;
    return new Promise((resolve) => {
      void this.#inTurn(async () => {
        if (clears === this.#clears) this.#mark(resolve);
        else resolve("cleared");
      });
    });
  }

  /** Drops what was not played yet, and what waits to be written. */
  clear(): void {
    this.#clears += 1;
    this.#unmarked = 0;
    this.#writer.clear();
  }

  /** No more is written. */
  finish(): void {
    void this.#inTurn(async () => this.#writer.finish());
  }

  #inTurn(step: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(step);
    this.#turn = done.catch(() => {
      // Told to whoever waits for this step.
    });
    return done;
  }

  async #write(samples: Int16Array, clears: number): Promise<void> {
    for (let offset = 0; offset < samples.length && clears === this.#clears; ) {
      const piece = samples.slice(offset, offset + this.#pieceSamples - this.#unmarked);
      offset += piece.length;
      this.#unmarked += piece.length;
      this.#writer.write(piece);
      if (this.#unmarked >= this.#pieceSamples) this.#markPiece();
      if (this.#waiting.length > MAX_WAITING_PIECES) await this.#waiting[0];
    }
  }

  #mark(resolve: (outcome: MarkOutcome) => void): void {
    this.#lastMark += 1;
    this.#marks.set(this.#lastMark, resolve);
    this.#writer.mark(this.#lastMark);
  }

  #markPiece(): void {
    this.#unmarked = 0;
    const marked = new Promise<MarkOutcome>((resolve) => this.#mark(resolve));
    this.#waiting.push(marked);
    void marked.then(() => this.#waiting.splice(this.#waiting.indexOf(marked), 1));
  }
}

/** Programs without types have bytes at hand. */
function requireSamples(samples: unknown): void {
  if (!(samples instanceof Int16Array)) throw optionError("samples", "must be an Int16Array");
}
