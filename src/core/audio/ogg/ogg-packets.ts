import { CONTINUED } from "./ogg-page.ts";
import type { OggPage } from "./ogg-page-reader.ts";

/** RFC 7845 §6: larger packets may be refused; those of 120 ms in two streams have 123 KB at most. */
const MAX_PACKET_BYTES = 131_072;

/** Puts the packets of one stream together, also those that go on over several pages. */
export class OggPackets {
  #parts: Uint8Array[] = [];
  #partBytes = 0;
  /** The packet that is under way lost its beginning, or is too large. */
  #isBroken = false;
  #nextSequence: number | null = null;
  #dropped = 0;

  /** Packets that could not be put together: a part is missing, or they are too large. */
  get dropped(): number {
    return this.#dropped;
  }

  /** The packets that end on this page, in memory of their own. */
  take(page: OggPage): Uint8Array[] {
    this.#join(page);
    const packets: Uint8Array[] = [];
    let begin = 0;
    let end = 0;
    for (const segmentBytes of page.segments) {
      end += segmentBytes;
      if (segmentBytes === 255) continue;
      const packet = this.#finish(page.body.subarray(begin, end));
      if (packet !== null) packets.push(packet);
      begin = end;
    }
    if (begin < end || page.segments.at(-1) === 255) this.#keep(page.body.subarray(begin, end));
    return packets;
  }

  /** What was under way goes on here, or is lost. */
  #join(page: OggPage): void {
    const isNext = this.#nextSequence === null || page.sequence === this.#nextSequence;
    const goesOn = (page.flags & CONTINUED) !== 0;
    const isUnderWay = this.#partBytes > 0 || this.#isBroken;
    this.#nextSequence = (page.sequence + 1) >>> 0;
    if (isUnderWay && (!goesOn || !isNext)) this.#drop();
    this.#isBroken ||= goesOn && this.#partBytes === 0;
  }

  #keep(part: Uint8Array): void {
    this.#partBytes += part.length;
    if (this.#partBytes > MAX_PACKET_BYTES) this.#isBroken = true;
    if (this.#isBroken) this.#parts = [];
    else this.#parts.push(part.slice());
  }

  #finish(part: Uint8Array): Uint8Array | null {
    this.#keep(part);
    if (this.#isBroken) {
      this.#drop();
      return null;
    }
    const [first] = this.#parts;
    const packet = this.#parts.length === 1 && first !== undefined ? first : this.#joined();
    this.#clear();
    return packet;
  }

  #joined(): Uint8Array {
    const packet = new Uint8Array(this.#partBytes);
    let offset = 0;
    for (const part of this.#parts) {
      packet.set(part, offset);
      offset += part.length;
    }
    return packet;
  }

  #drop(): void {
    this.#dropped += 1;
    this.#clear();
  }

  #clear(): void {
    this.#parts = [];
    this.#partBytes = 0;
    this.#isBroken = false;
  }
}
