import { randomBytes } from "node:crypto";
import type { Random } from "../core/random.ts";

export { type Random, randomUint32 } from "../core/random.ts";

export const systemRandom: Random = (byteLength) => randomBytes(byteLength);
