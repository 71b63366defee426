import {
  createOpusPacket,
  opusPacketTicks,
  readOpusPacket,
  readSelfDelimitedOpusPacket,
} from "../opus-packet.ts";
import { OggPackets } from "./ogg-packets.ts";
import { FIRST_PAGE, LAST_PAGE } from "./ogg-page.ts";
import { type OggPage, OggPageReader } from "./ogg-page-reader.ts";
import { type OpusHead, readOpusHead } from "./opus-head.ts";

/** A packet of a file. */
export interface OggOpusPacket {
  /** Memory of its own. Of more than one stream when `head.streamCount` says so. */
  readonly bytes: Uint8Array;
  /** Position of its first sample at 48 kHz; the file is played from `head.preSkipTicks` on. */
  readonly granulePosition: number;
  readonly ticks: number;
}

export interface OggOpusFaults {
  /** Bytes that belong to no page, such as a torn end. */
  readonly skippedBytes: number;
  /** Packets that are no Opus, or of which a part is missing. */
  readonly damagedPackets: number;
  /** Pages of other streams. */
  readonly foreignPages: number;
}

/** RFC 7845 §3: OpusHead and OpusTags come first. */
const HEADER_PACKETS = 2;

/**
 * Reads the packets of an Ogg Opus file (RFC 7845) that is given in pieces, the first stream of it. Nothing in the bytes
 * makes it throw: damage is left out and counted, and the positions of what follows stay right.
 */
export class OggOpusReader {
  readonly #pages = new OggPageReader();
  readonly #packets = new OggPackets();
  readonly #opus = createOpusPacket();
  #head: OpusHead | null = null;
  #serial: number | null = null;
  #headersLeft = HEADER_PACKETS;
  #isEnded = false;
  /** Behind the last packet that was read, and behind the last one that is played. */
  #granulePosition = 0;
  #playedTo = 0;
  #damagedPackets = 0;
  #foreignPages = 0;

  /** Null until it is read; null at the end: the file is no Ogg Opus. */
  get head(): OpusHead | null {
    return this.#head;
  }

  /** True when the file was closed in order: its last page says that it is the last. */
  get isComplete(): boolean {
    return this.#isEnded;
  }

  /** Ticks at 48 kHz that a player plays, of what was read so far. */
  get playedTicks(): number {
    return Math.max(0, this.#playedTo - (this.#head?.preSkipTicks ?? 0));
  }

  get faults(): OggOpusFaults {
    return {
      skippedBytes: this.#pages.skippedBytes,
      damagedPackets: this.#damagedPackets + this.#packets.dropped,
      foreignPages: this.#foreignPages,
    };
  }

  /** The packets that end in this piece. */
  push(bytes: Uint8Array): OggOpusPacket[] {
    const packets: OggOpusPacket[] = [];
    this.#pages.push(bytes);
    for (let page = this.#pages.next(); page !== null; page = this.#pages.next()) this.#take(page, packets);
    return packets;
  }

  /** The end of the file. */
  end(): OggOpusPacket[] {
    const packets: OggOpusPacket[] = [];
    for (let page = this.#pages.end(); page !== null; page = this.#pages.end()) this.#take(page, packets);
    return packets;
  }

  #take(page: OggPage, out: OggOpusPacket[]): void {
    if (this.#isEnded || !this.#isOurs(page)) {
      this.#foreignPages += 1;
      return;
    }
    const packets = this.#packets.take(page);
    while (packets.length > 0 && this.#headersLeft > 0) {
      this.#headersLeft -= 1;
      packets.shift();
    }
    this.#place(packets, page, out);
    if ((page.flags & LAST_PAGE) !== 0) this.#isEnded = true;
  }

  /** The first page of an Opus stream chooses the stream. */
  #isOurs(page: OggPage): boolean {
    if (this.#serial !== null) return page.serial === this.#serial;
    if ((page.flags & FIRST_PAGE) === 0) return false;
    this.#head = readOpusHead(page.body);
    if (this.#head === null) return false;
    this.#serial = page.serial;
    return true;
  }

  #place(packets: readonly Uint8Array[], page: OggPage, out: OggOpusPacket[]): void {
    const durations = packets.map((bytes) => this.#ticksOf(bytes));
    const total = durations.reduce((sum, ticks) => sum + ticks, 0);
    const { granulePosition } = page;
    const isLast = (page.flags & LAST_PAGE) !== 0;
    let position = this.#granulePosition;
    // RFC 7845 §4: a page tells where its last packet ends, unless it cuts the end off (§4.4). What was lost before leaves a gap.
    if (granulePosition !== null && !isLast && total > 0)
      position = Math.max(position, granulePosition - total);
    packets.forEach((bytes, index) => {
      const ticks = durations[index] ?? 0;
      if (ticks > 0) out.push({ bytes, granulePosition: position, ticks });
      else this.#damagedPackets += 1;
      position += ticks;
    });
    this.#granulePosition = position;
    if (total > 0 || isLast)
      this.#playedTo = isLast ? Math.min(position, granulePosition ?? position) : position;
  }

  /** Duration of the first stream's packet, which all have in common; 0 when it is none. */
  #ticksOf(bytes: Uint8Array): number {
    const opus = this.#opus;
    const isAlone = this.#head?.streamCount === 1;
    const result = isAlone
      ? readOpusPacket(bytes, 0, bytes.length, opus)
      : readSelfDelimitedOpusPacket(bytes, 0, bytes.length, opus);
    return typeof result === "string" ? 0 : opusPacketTicks(opus);
  }
}
