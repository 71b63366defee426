import { CHECKSUM_OFFSET, MAX_SEGMENTS, PAGE_HEADER_BYTES, pageChecksum } from "./ogg-page.ts";

const INITIAL_BODY_BYTES = 4096;

/** Gathers packets into pages (RFC 3533). A packet is never divided between two pages. */
export class OggPageWriter {
  readonly #serial: number;
  readonly #segments = new Uint8Array(MAX_SEGMENTS);
  #segmentCount = 0;
  #body = new Uint8Array(INITIAL_BODY_BYTES);
  #bodyBytes = 0;
  #sequence = 0;

  /** @param serial Tells the stream from others in the file. */
  constructor(serial: number) {
    this.#serial = serial;
  }

  get isEmpty(): boolean {
    return this.#segmentCount === 0;
  }

  /** False: the page has to be closed before it can take such a packet. An empty page takes up to 65 024 bytes. */
  hasRoomFor(packetBytes: number): boolean {
    return this.#segmentCount + Math.floor(packetBytes / 255) + 1 <= MAX_SEGMENTS;
  }

  /** Takes a copy of the first `lengthBytes` bytes. The page must have room. */
  add(bytes: Uint8Array, lengthBytes: number): void {
    this.#growTo(this.#bodyBytes + lengthBytes);
    for (let i = 0; i < lengthBytes; i += 1) this.#body[this.#bodyBytes + i] = bytes[i] ?? 0;
    this.#bodyBytes += lengthBytes;
    // RFC 3533 §6, field 9: a packet ends with the first segment that is shorter than 255 bytes, be it empty.
    let rest = lengthBytes;
    for (; rest >= 255; rest -= 255) this.#segments[this.#segmentCount++] = 255;
    this.#segments[this.#segmentCount++] = rest;
  }

  /**
   * Closes the page.
   *
   * @param granulePosition Position behind its last packet.
   * @param flags `FIRST_PAGE`, `LAST_PAGE`.
   * @returns The page, in memory of its own.
   */
  close(granulePosition: number, flags = 0): Uint8Array {
    const headerBytes = PAGE_HEADER_BYTES + this.#segmentCount;
    const page = new Uint8Array(headerBytes + this.#bodyBytes);
    const view = new DataView(page.buffer);
    view.setUint32(0, 0x4f676753); // "OggS"
    page[5] = flags;
    view.setUint32(6, granulePosition % 2 ** 32, true);
    view.setUint32(10, Math.floor(granulePosition / 2 ** 32), true);
    view.setUint32(14, this.#serial, true);
    view.setUint32(18, this.#sequence, true);
    page[26] = this.#segmentCount;
    page.set(this.#segments.subarray(0, this.#segmentCount), PAGE_HEADER_BYTES);
    page.set(this.#body.subarray(0, this.#bodyBytes), headerBytes);
    view.setUint32(CHECKSUM_OFFSET, pageChecksum(page, 0, page.length), true);
    this.#sequence += 1;
    this.#segmentCount = 0;
    this.#bodyBytes = 0;
    return page;
  }

  #growTo(bodyBytes: number): void {
    if (bodyBytes <= this.#body.length) return;
    const body = new Uint8Array(Math.max(bodyBytes, 2 * this.#body.length));
    body.set(this.#body);
    this.#body = body;
  }
}
