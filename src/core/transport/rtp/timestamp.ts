/** From `a` to `b` on the 32-bit circle of RTP timestamps: positive when `b` is later. */
export function signedTimestampDistance(a: number, b: number): number {
  return (b - a) | 0;
}
