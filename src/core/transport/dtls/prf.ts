/** RFC 5246 §5: P_hash with the suite's hash. */
export type PrfHash = "sha256" | "sha384";

export function prf(
  _hash: PrfHash,
  _secret: Uint8Array,
  _label: string,
  _seed: Uint8Array,
  _lengthBytes: number,
): Uint8Array {
  throw new Error("not built yet");
}
