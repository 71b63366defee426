import { kindOf, type SpeechPart, type SpokenPart } from "./speech.ts";
import { encodePart } from "./speech-encoder.ts";

/** A part that is ready to be sent. */
interface EncodedPart {
  /** Its place in its script. */
  readonly part: number;
  readonly kind: SpokenPart["kind"];
  readonly packets: readonly Buffer[];
}

/** Encoded parts on their way out, one packet at a time; notes when each part left. */
export class Utterance {
  readonly #source: SpokenPart["source"];
  readonly #parts: readonly EncodedPart[];
  readonly #spoken: { -readonly [Field in keyof SpokenPart]: SpokenPart[Field] }[] = [];
  #part = 0;
  #packet = 0;
  #isRepeated = false;

  constructor(source: SpokenPart["source"], parts: readonly EncodedPart[]) {
    this.#source = source;
    this.#parts = parts.filter(({ packets }) => packets.length > 0);
  }

  /** The parts that left, in order; of one that is repeated, the first time. */
  get spoken(): readonly SpokenPart[] {
    return this.#spoken;
  }

  get isOver(): boolean {
    return this.#part === this.#parts.length;
  }

  /** The packet that leaves at `nowMs`; null when all are out. */
  next(nowMs: number): Buffer | null {
    const part = this.#parts[this.#part];
    const packet = part?.packets[this.#packet];
    if (part === undefined || packet === undefined) return null;
    if (!this.#isRepeated) this.#note(part, nowMs);
    this.#packet += 1;
    if (this.#packet === part.packets.length) {
      this.#part += 1;
      this.#packet = 0;
    }
    return packet;
  }

  /** From the start once more. */
  repeat(): void {
    this.#isRepeated = true;
    this.#part = 0;
    this.#packet = 0;
  }

  #note({ part, kind }: EncodedPart, nowMs: number): void {
    const noted = this.#spoken[this.#part];
    if (noted === undefined) {
      const times = { firstPacketAtMs: nowMs, lastPacketAtMs: nowMs };
      this.#spoken.push({ source: this.#source, part, kind, ...times });
    } else {
      noted.lastPacketAtMs = nowMs;
    }
  }
}

/** @throws {RingbackError} `MEDIA_FILE_UNUSABLE`. */
export async function encodeUtterance(
  source: SpokenPart["source"],
  parts: readonly SpeechPart[],
): Promise<Utterance> {
  const encoded: EncodedPart[] = [];
  for (const [index, part] of parts.entries()) {
    encoded.push({ part: index, kind: kindOf(part), packets: await encodePart(part) });
  }
  return new Utterance(source, encoded);
}
