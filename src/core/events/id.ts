import type { Random } from "../random.ts";

/** What an id names; its prefix, so that one cannot be taken for another. */
export type IdKind = "call" | "evt" | "rec" | "cmd" | "whe" | "dlv" | "key";

/**
 * A new id: the prefix and a UUIDv7 (RFC 9562, section 5.7) as 32 hex digits, so that ids sort by the time they were made at.
 *
 * @param wallMs Since the Unix epoch.
 */
export function createId(kind: IdKind, wallMs: number, random: Random): string {
  const bytes = new Uint8Array(16);
  bytes.set(random(10), 6);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(wallMs / 0x10000));
  view.setUint16(4, wallMs % 0x10000);
  // Version 7 and the variant of RFC 9562, section 4.
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  let hex = "";
  for (const byte of bytes) hex += byte.toString(16).padStart(2, "0");
  return `${kind}_${hex}`;
}

export function isId(kind: IdKind, text: string): boolean {
  return text.startsWith(`${kind}_`) && /^[0-9a-f]{32}$/.test(text.slice(kind.length + 1));
}
