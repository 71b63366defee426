/** The part of a file that is sent, both ends included. */
export interface ByteRange {
  readonly begin: number;
  readonly end: number;
}

/**
 * What a `Range` header asks for (RFC 9110, section 14). `whole`: the header is to be ignored, since it is another unit, cannot be read
 * or asks for several ranges (14.2 lets a server do so). `none`: no byte of the file is in it (416).
 */
export function readRange(header: string | undefined, sizeBytes: number): ByteRange | "whole" | "none" {
  const [, first = "", last = ""] = /^bytes[ \t]*=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(header ?? "") ?? [];
  if (first === "" && last === "") return "whole";
  if (first === "") return suffix(Number(last), sizeBytes);
  const begin = Number(first);
  const end = last === "" ? Number.POSITIVE_INFINITY : Number(last);
  if (end < begin) return "whole";
  return begin >= sizeBytes ? "none" : { begin, end: Math.min(end, sizeBytes - 1) };
}

/** The last so many bytes: all of them, when the file has fewer. */
function suffix(lengthBytes: number, sizeBytes: number): ByteRange | "none" {
  if (lengthBytes === 0 || sizeBytes === 0) return "none";
  return { begin: Math.max(0, sizeBytes - lengthBytes), end: sizeBytes - 1 };
}

/** Whether a list of entity tags (`If-None-Match`) has this one; weak or not is the same here (RFC 9110, section 13.1.2). */
export function hasEtag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  if (header.trim() === "*") return true;
  return header.split(",").some((one) => one.trim().replace(/^W\//, "") === etag);
}

/** Whether `If-Range` lets a range count (RFC 9110, section 13.1.5): by this very tag. A date never does, since none is sent. */
export function rangeCounts(ifRange: string | undefined, etag: string): boolean {
  return ifRange === undefined || ifRange.trim() === etag;
}
