import { closeSync, openSync, readSync } from "node:fs";

/** Tokens and secrets are short; more than this is the wrong file. */
const MAX_SECRET_BYTES = 8_192;

/** Reads a secret from a file, as container platforms mount them. Throws when it cannot be read or is too long. */
export function readSecretFile(path: string): string {
  const buffer = Buffer.alloc(MAX_SECRET_BYTES + 1);
  const file = openSync(path, "r");
  try {
    const bytes = readSync(file, buffer, 0, buffer.length, 0);
    if (bytes > MAX_SECRET_BYTES) throw new RangeError(`a secret has at most ${MAX_SECRET_BYTES} bytes`);
    return buffer.toString("utf8", 0, bytes);
  } finally {
    closeSync(file);
  }
}
