import type { HostedSession, MarkOutcome, OpusRateHz, PcmWriter, Playback } from "../../media/index.ts";

/** Samples go over in pieces of this length at most, each followed by a mark: so much is known of what was played. */
const PIECE_MS = 200;
/** Pieces that wait before whoever writes has to wait, too: 1 s. */
const MAX_WAITING_PIECES = 5;

type PcmOptions = Omit<Parameters<HostedSession["playPcm"]>[0], "rateHz">;

/** Samples to a call, with marks that come back and room to wait for. */
export class PcmChannel {
  readonly playback: Playback;
  readonly #writer: PcmWriter;
  readonly #pieceSamples: number;
  readonly #marks = new Map<number, (outcome: MarkOutcome) => void>();
  #lastMark = 0;
  /** What lies between the last mark and the end of what was written. */
  #unmarked = 0;
  /** The marks of pieces that were not played yet, the oldest first. */
  readonly #waiting: Promise<MarkOutcome>[] = [];

  constructor(session: HostedSession, rateHz: OpusRateHz, options: PcmOptions) {
    this.#pieceSamples = (rateHz * PIECE_MS) / 1_000;
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

  /** Writes a copy. Resolves when less than a second waits to be played, or when nothing is played any more. */
  async write(samples: Int16Array): Promise<void> {
    for (let offset = 0; offset < samples.length; ) {
      const piece = samples.slice(offset, offset + this.#pieceSamples - this.#unmarked);
      offset += piece.length;
      this.#unmarked += piece.length;
      this.#writer.write(piece);
      if (this.#unmarked >= this.#pieceSamples) this.#markPiece();
      if (this.#waiting.length > MAX_WAITING_PIECES) await this.#waiting[0];
    }
  }

  /** Resolves when all that was written so far was played, dropped, or will not be played any more. */
  mark(): Promise<MarkOutcome> {
    this.#lastMark += 1;
    const mark = this.#lastMark;
    return new Promise((resolve) => {
      this.#marks.set(mark, resolve);
      this.#writer.mark(mark);
    });
  }

  clear(): void {
    this.#writer.clear();
  }

  /** No more is written. */
  finish(): void {
    this.#writer.finish();
  }

  #markPiece(): void {
    this.#unmarked = 0;
    const marked = this.mark();
    this.#waiting.push(marked);
    void marked.then(() => this.#waiting.splice(this.#waiting.indexOf(marked), 1));
  }
}
