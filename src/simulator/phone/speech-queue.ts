import { RingbackError } from "../../errors.ts";
import type { Spoken, SpokenPart } from "./speech.ts";
import type { Utterance } from "./utterance.ts";

const MAX_WAITING = 64;
/** Parts that one call notes; of what is said later nothing is noted. */
const MAX_NOTED_PARTS = 1000;

/** A place in the queue; its utterance is null while it is being encoded. */
interface Turn {
  utterance: Utterance | null;
  readonly done: (spoken: Spoken) => void;
}

/** What the phone was told to say, one after another in the order it was told. */
export class SpeechQueue {
  readonly #turns: Turn[] = [];
  #spoken: readonly SpokenPart[] = [];
  #isClosed = false;
  packetsOut = 0;

  /** The parts that left, in order: at most 1000 of finished speeches, and those of the present one. */
  get spoken(): readonly SpokenPart[] {
    return [...this.#spoken, ...(this.#turns[0]?.utterance?.spoken ?? [])];
  }

  /**
   * Takes a place in the queue at once, for what `encode` makes. Resolves when its last packet is out, or when the queue closes.
   * @throws {RingbackError} What `encode` rejects with; `OPTION_INVALID` when 64 speeches wait.
   */
  async say(encode: () => Promise<Utterance>): Promise<Spoken> {
    if (this.#isClosed) return toSpoken(null, false);
    if (this.#turns.length === MAX_WAITING) {
      const message = `at most ${MAX_WAITING} speeches can wait to be said`;
      throw new RingbackError("OPTION_INVALID", message, { details: { option: "say" } });
    }
    return await new Promise<Spoken>((resolve, reject) => {
      const turn: Turn = { utterance: null, done: resolve };
      this.#turns.push(turn);
      encode().then(
        (utterance) => {
          turn.utterance = utterance;
        },
        (error: unknown) => {
          const place = this.#turns.indexOf(turn);
          if (place >= 0) this.#turns.splice(place, 1);
          reject(error);
        },
      );
    });
  }

  /** The packet that leaves at `nowMs`; null when there is nothing to say, or not yet. */
  next(nowMs: number): Buffer | null {
    const turn = this.#turns[0];
    const utterance = turn?.utterance ?? null;
    if (turn === undefined || utterance === null) return null;
    const packet = utterance.next(nowMs);
    if (packet !== null) this.packetsOut += 1;
    if (utterance.isOver) {
      this.#turns.shift();
      this.#note(utterance);
      turn.done(toSpoken(utterance, true));
    }
    return packet;
  }

  /** Whoever waits is told how far it came. Nothing is said any more. */
  close(): void {
    this.#isClosed = true;
    const current = this.#turns[0]?.utterance ?? null;
    for (const { utterance, done } of this.#turns.splice(0)) done(toSpoken(utterance, false));
    if (current !== null) this.#note(current);
  }

  #note(utterance: Utterance): void {
    this.#spoken = [...this.#spoken, ...utterance.spoken].slice(0, MAX_NOTED_PARTS);
  }
}

function toSpoken(utterance: Utterance | null, isComplete: boolean): Spoken {
  const parts = (utterance?.spoken ?? []).map((part) => ({ ...part }));
  return {
    isComplete,
    firstPacketAtMs: parts[0]?.firstPacketAtMs ?? null,
    lastPacketAtMs: parts.at(-1)?.lastPacketAtMs ?? null,
    parts,
  };
}
