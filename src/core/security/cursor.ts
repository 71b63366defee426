import { createHmac, timingSafeEqual } from "node:crypto";

/** Lists that have cursors. One list's cursor is none for another. */
export type CursorKind = "events" | "calls" | "recordings" | "deliveries" | "audit";

/** Half of a SHA-256: nobody gains anything from a made-up cursor but another page of what they may read anyway. */
const MAC_BYTES = 12;
const MAX_CURSOR_CHARACTERS = 200;

/** Makes and reads cursors: places in lists, of which clients know nothing but that they can be handed back. */
export class Cursors {
  readonly #key: Uint8Array;

  /** @param key Of `deriveKey(…, "cursors")`. */
  constructor(key: Uint8Array) {
    this.#key = key;
  }

  write(kind: CursorKind, place: number | string): string {
    const text = typeof place === "number" ? `n${place}` : `s${place}`;
    return Buffer.concat([this.#mac(kind, text), Buffer.from(text)]).toString("base64url");
  }

  /** A place that is a number; null for what this instance never gave out for this list. */
  readNumber(kind: CursorKind, cursor: string): number | null {
    const text = this.#read(kind, cursor);
    return text?.startsWith("n") === true ? Number(text.slice(1)) : null;
  }

  /** A place that is a text; null for what this instance never gave out for this list. */
  readText(kind: CursorKind, cursor: string): string | null {
    const text = this.#read(kind, cursor);
    return text?.startsWith("s") === true ? text.slice(1) : null;
  }

  #read(kind: CursorKind, cursor: string): string | null {
    if (cursor.length > MAX_CURSOR_CHARACTERS) return null;
    const bytes = Buffer.from(cursor, "base64url");
    // Decoding skips what is no base64 and ignores the last bits: only what was given out comes back the same.
    if (bytes.length <= MAC_BYTES || bytes.toString("base64url") !== cursor) return null;
    const text = bytes.toString("utf8", MAC_BYTES);
    return timingSafeEqual(bytes.subarray(0, MAC_BYTES), this.#mac(kind, text)) ? text : null;
  }

  #mac(kind: CursorKind, text: string): Buffer {
    return createHmac("sha256", this.#key).update(`${kind}\n${text}`).digest().subarray(0, MAC_BYTES);
  }
}
