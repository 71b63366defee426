import { byteAt, uint16At, writeUint16 } from "./bytes.ts";

/**
 * Writes the bytes of an IP literal to `out` from `offset` on.
 *
 * @param text A literal that `ipVersion` knows; the bytes are meaningless for anything else.
 * @returns 4 or 16, the number of bytes written.
 */
export function parseIp(text: string, out: Uint8Array, offset: number): 4 | 16 {
  if (!text.includes(":")) {
    parseIpv4(text, out, offset);
    return 4;
  }
  const split = text.indexOf("::");
  const left = split < 0 ? text : text.slice(0, split);
  const leftBytes = parseGroups(left, out, offset);
  out.fill(0, offset + leftBytes, offset + 16);
  if (split >= 0) {
    // RFC 4291 §2.2: the groups after the double colon stand at the end.
    const rightBytes = parseGroups(text.slice(split + 2), out, offset + leftBytes);
    out.copyWithin(offset + 16 - rightBytes, offset + leftBytes, offset + leftBytes + rightBytes);
    out.fill(0, offset + leftBytes, offset + 16 - rightBytes);
  }
  return 16;
}

function parseIpv4(text: string, out: Uint8Array, offset: number): void {
  const parts = text.split(".");
  for (let i = 0; i < 4; i += 1) out[offset + i] = Number(parts[i]);
}

function parseGroups(text: string, out: Uint8Array, offset: number): number {
  if (text === "") return 0;
  let end = offset;
  for (const group of text.split(":")) {
    if (group.includes(".")) {
      parseIpv4(group, out, end);
      end += 4;
    } else {
      writeUint16(out, end, Number.parseInt(group, 16));
      end += 2;
    }
  }
  return end - offset;
}

/** The text of 4 or 16 address bytes, spelled as `inet_ntop` and with it Node's sockets spell it. */
export function formatIp(bytes: Uint8Array): string {
  return bytes.length === 4 ? formatIpv4(bytes, 0) : formatIpv6(bytes);
}

function formatIpv4(bytes: Uint8Array, offset: number): string {
  return `${byteAt(bytes, offset)}.${byteAt(bytes, offset + 1)}.${byteAt(bytes, offset + 2)}.${byteAt(bytes, offset + 3)}`;
}

function formatIpv6(bytes: Uint8Array): string {
  const zeros = longestZeroRun(bytes);
  // RFC 5952 §5, and what inet_ntop makes of it: IPv4-mapped and IPv4-compatible addresses end in dotted form.
  const isMapped = zeros.start === 0 && zeros.groups === 5 && uint16At(bytes, 10) === 0xffff;
  const isCompatible = zeros.start === 0 && zeros.groups === 6;
  if (isMapped || isCompatible) return `::${isMapped ? "ffff:" : ""}${formatIpv4(bytes, 12)}`;
  if (zeros.groups === 0) return formatGroups(bytes, 0, 8);
  return `${formatGroups(bytes, 0, zeros.start)}::${formatGroups(bytes, zeros.start + zeros.groups, 8)}`;
}

function formatGroups(bytes: Uint8Array, from: number, to: number): string {
  let text = "";
  for (let group = from; group < to; group += 1) {
    text += `${group > from ? ":" : ""}${uint16At(bytes, group * 2).toString(16)}`;
  }
  return text;
}

/** RFC 5952 §4.2: the longest run of zero groups, the first of equals, and never a single one. */
function longestZeroRun(bytes: Uint8Array): { readonly start: number; readonly groups: number } {
  let best = { start: 0, groups: 0 };
  let start = 0;
  for (let group = 0; group < 8; group += 1) {
    if (uint16At(bytes, group * 2) !== 0) start = group + 1;
    else if (group + 1 - start > Math.max(1, best.groups)) best = { start, groups: group + 1 - start };
  }
  return best;
}
