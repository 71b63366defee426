import { CHECKSUM_OFFSET, MAX_PAGE_BYTES, PAGE_HEADER_BYTES, pageChecksum } from "./ogg-page.ts";

/** One page; its bytes are valid until the next call of the reader's methods. */
export interface OggPage {
  /** `CONTINUED`, `FIRST_PAGE`, `LAST_PAGE`. */
  readonly flags: number;
  /** Position behind the last packet that ends on the page; null when none does, or when it is beyond all reason. */
  readonly granulePosition: number | null;
  readonly serial: number;
  readonly sequence: number;
  /** Lengths of the segments (RFC 3533 §6, field 9). */
  readonly segments: Uint8Array;
  readonly body: Uint8Array;
}

/**
 * Finds the pages in a file that is given in pieces. What is no page is left out and counted: damage, the torn end of a file
 * whose writer was killed. It holds a page and one piece at most.
 */
export class OggPageReader {
  #bytes = new Uint8Array(MAX_PAGE_BYTES);
  #begin = 0;
  #end = 0;
  #skippedBytes = 0;

  /** Bytes that belong to no page. Those still held count once `end` was called. */
  get skippedBytes(): number {
    return this.#skippedBytes;
  }

  /** Takes a copy. All pages have to be taken before the next piece. */
  push(bytes: Uint8Array): void {
    this.#makeRoom(bytes.length);
    this.#bytes.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** The next whole page; null when there is none yet. */
  next(): OggPage | null {
    while (this.#end - this.#begin >= PAGE_HEADER_BYTES) {
      const pageBytes = this.#pageBytes();
      if (pageBytes > this.#end - this.#begin) return null;
      if (pageBytes > 0 && this.#isIntact(pageBytes)) {
        const page = this.#page(pageBytes);
        this.#begin += pageBytes;
        return page;
      }
      this.#skip();
    }
    return null;
  }

  /** The end of the file: what is left may still have whole pages behind a false beginning. */
  end(): OggPage | null {
    while (this.#begin < this.#end) {
      const page = this.next();
      if (page !== null) return page;
      this.#skip();
    }
    return null;
  }

  /** Length of the page at `#begin`, 0 when none begins there; as much as is needed to know when that is not yet known. */
  #pageBytes(): number {
    const at = this.#begin;
    const bytes = this.#bytes;
    // "OggS", version 0.
    if (bytes[at] !== 0x4f || bytes[at + 1] !== 0x67 || bytes[at + 2] !== 0x67 || bytes[at + 3] !== 0x53)
      return 0;
    // RFC 3533 §6, field 3: three flags.
    if (bytes[at + 4] !== 0 || (bytes[at + 5] ?? 0) > 7) return 0;
    const segmentCount = bytes[at + 26] ?? 0;
    let total = PAGE_HEADER_BYTES + segmentCount;
    if (total > this.#end - at) return total;
    for (let i = 0; i < segmentCount; i += 1) total += bytes[at + PAGE_HEADER_BYTES + i] ?? 0;
    return total;
  }

  #isIntact(pageBytes: number): boolean {
    const view = new DataView(this.#bytes.buffer, this.#begin, pageBytes);
    return view.getUint32(CHECKSUM_OFFSET, true) === pageChecksum(this.#bytes, this.#begin, pageBytes);
  }

  #page(pageBytes: number): OggPage {
    const at = this.#begin;
    const view = new DataView(this.#bytes.buffer, at, pageBytes);
    const bodyOffset = at + PAGE_HEADER_BYTES + view.getUint8(26);
    // RFC 3533 §6, field 4: -1 says that no packet ends here; it lies beyond what a number holds.
    const granulePosition = view.getUint32(10, true) * 2 ** 32 + view.getUint32(6, true);
    return {
      flags: view.getUint8(5),
      granulePosition: Number.isSafeInteger(granulePosition) ? granulePosition : null,
      serial: view.getUint32(14, true),
      sequence: view.getUint32(18, true),
      segments: this.#bytes.subarray(at + PAGE_HEADER_BYTES, bodyOffset),
      body: this.#bytes.subarray(bodyOffset, at + pageBytes),
    };
  }

  /** Goes on to where the next page could begin. */
  #skip(): void {
    const next = this.#bytes.indexOf(0x4f, this.#begin + 1);
    const to = next < 0 || next > this.#end ? this.#end : next;
    this.#skippedBytes += to - this.#begin;
    this.#begin = to;
  }

  #makeRoom(pieceBytes: number): void {
    const held = this.#end - this.#begin;
    const bytes = held + pieceBytes > this.#bytes.length ? new Uint8Array(held + pieceBytes) : this.#bytes;
    bytes.set(this.#bytes.subarray(this.#begin, this.#end));
    this.#bytes = bytes;
    this.#begin = 0;
    this.#end = held;
  }
}
