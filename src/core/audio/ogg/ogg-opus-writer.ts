import { FIRST_PAGE, LAST_PAGE } from "./ogg-page.ts";
import { OggPageWriter } from "./ogg-page-writer.ts";
import { writeOpusHead, writeOpusTags } from "./opus-head.ts";

export interface OggOpusWriterOptions {
  /** Tells the stream from others, random by custom (RFC 3533 §6, field 5). */
  readonly serial: number;
  /** 1: one mono stream. 2: two of them in each packet, the left one first and self-delimited. */
  readonly channelCount: 1 | 2;
  /** Samples at 48 kHz that players leave out at the beginning. */
  readonly preSkipTicks: number;
  /** A page is closed when it has as much. Default 24 000: half a second. */
  readonly pageTicks?: number;
}

const VENDOR = "Ringback";

/** Puts Opus packets into an Ogg file (RFC 7845). Pages go out as they are full; what was written before one is playable. */
export class OggOpusWriter {
  readonly #pages: OggPageWriter;
  readonly #options: OggOpusWriterOptions;
  readonly #pageTicks: number;
  #granulePosition = 0;
  #ticksInPage = 0;

  constructor(options: OggOpusWriterOptions) {
    this.#options = options;
    this.#pageTicks = options.pageTicks ?? 24_000;
    this.#pages = new OggPageWriter(options.serial);
  }

  /** The file's beginning. Called once, before all else. */
  begin(): Uint8Array {
    const { channelCount, preSkipTicks } = this.#options;
    const head = writeOpusHead(channelCount, preSkipTicks);
    const tags = writeOpusTags(VENDOR);
    // RFC 7845 §3: each has a page of its own.
    this.#pages.add(head, head.length);
    const headPage = this.#pages.close(0, FIRST_PAGE);
    this.#pages.add(tags, tags.length);
    const tagsPage = this.#pages.close(0);
    const bytes = new Uint8Array(headPage.length + tagsPage.length);
    bytes.set(headPage);
    bytes.set(tagsPage, headPage.length);
    return bytes;
  }

  /**
   * Takes a copy of a packet, the first `lengthBytes` of `bytes`.
   *
   * @param ticks Its duration at 48 kHz.
   * @returns A page that is full now, or null.
   */
  write(bytes: Uint8Array, lengthBytes: number, ticks: number): Uint8Array | null {
    // Without room for one more, the page is less than half a second; the new one has room for any.
    const full = this.#pages.hasRoomFor(lengthBytes) ? null : this.#closePage(0);
    this.#pages.add(bytes, lengthBytes);
    this.#granulePosition += ticks;
    this.#ticksInPage += ticks;
    if (full !== null) return full;
    return this.#ticksInPage >= this.#pageTicks ? this.#closePage(0) : null;
  }

  /**
   * Takes the last packet, and ends the file.
   *
   * @param playedTicks How much is played of all packets, at 48 kHz: the rest is cut off the end (RFC 7845 §4.4). It lies in the last
   * packet, or at its end.
   * @returns One page, or two.
   */
  finish(bytes: Uint8Array, lengthBytes: number, playedTicks: number): readonly Uint8Array[] {
    const full = this.#pages.hasRoomFor(lengthBytes) ? null : this.#closePage(0);
    this.#pages.add(bytes, lengthBytes);
    this.#granulePosition = this.#options.preSkipTicks + playedTicks;
    const last = this.#closePage(LAST_PAGE);
    return full === null ? [last] : [full, last];
  }

  #closePage(flags: number): Uint8Array {
    this.#ticksInPage = 0;
    return this.#pages.close(this.#granulePosition, flags);
  }
}
