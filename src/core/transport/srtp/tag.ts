/** Writes the first bytes of a digest, given in words. */
export function writeTag(digest: Int32Array, into: Uint8Array, start: number, tagBytes: number): void {
  for (let i = 0; i < tagBytes; i++) into[start + i] = tagByte(digest, i);
}

/** Compares without an early end: the time tells nothing of how many bytes were right. */
export function isTag(digest: Int32Array, bytes: Uint8Array, start: number, tagBytes: number): boolean {
  let difference = 0;
  for (let i = 0; i < tagBytes; i++) difference |= (bytes[start + i] ?? 0) ^ tagByte(digest, i);
  return difference === 0;
}

function tagByte(digest: Int32Array, i: number): number {
  return ((digest[i >> 2] ?? 0) >>> (24 - 8 * (i & 3))) & 0xff;
}
