/** Adds a keystream to bytes in place. */
export function xorInPlace(
  bytes: Uint8Array,
  start: number,
  end: number,
  keystream: Uint8Array,
  keystreamStart: number,
): void {
  const distance = keystreamStart - start;
  for (let i = start; i < end; i++) bytes[i] = (bytes[i] ?? 0) ^ (keystream[i + distance] ?? 0);
}
