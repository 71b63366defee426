/** A source of random bytes. Tests pass a seeded one. */
export type Random = (byteLength: number) => Uint8Array;

/** A random unsigned 32-bit number, as SSRCs and first RTP timestamps are. */
export function randomUint32(random: Random): number {
  const bytes = random(4);
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
}
