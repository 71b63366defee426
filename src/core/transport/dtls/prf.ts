import { createHmac } from "node:crypto";

/** The suite's hash for the pseudorandom function and the Finished message. */
export type PrfHash = "sha256" | "sha384";

/** TLS 1.2's pseudorandom function, RFC 5246 §5: P_hash over label and seed. */
export function prf(
  hash: PrfHash,
  secret: Uint8Array,
  label: string,
  seed: Uint8Array,
  lengthBytes: number,
): Uint8Array {
  const labelAndSeed = Buffer.concat([Buffer.from(label, "latin1"), seed]);
  const output = Buffer.alloc(lengthBytes);
  let a: Uint8Array = labelAndSeed;
  for (let filled = 0; filled < lengthBytes; ) {
    a = createHmac(hash, secret).update(a).digest();
    filled += createHmac(hash, secret).update(a).update(labelAndSeed).digest().copy(output, filled);
  }
  return output;
}
