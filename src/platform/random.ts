import { randomBytes } from "node:crypto";
import type { Random } from "../core/random.ts";

export { type Random, randomUint32 } from "../core/random.ts";

/** The system's generator costs as much for a few bytes as for some thousand. */
const POOL_BYTES = 4_096;
let pool: Uint8Array = new Uint8Array(0);

/** Bytes of the system's generator, given out once each. */
export const systemRandom: Random = (byteLength) => {
  if (byteLength > POOL_BYTES / 4) return randomBytes(byteLength);
  // Not as a Buffer, whose `slice` shares its memory.
  if (pool.length < byteLength) pool = new Uint8Array(randomBytes(POOL_BYTES));
  const taken = pool.slice(0, byteLength);
  pool.fill(0, 0, byteLength);
  pool = pool.subarray(byteLength);
  return taken;
};
