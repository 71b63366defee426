import { closeSync, openSync, readSync } from "node:fs";

/** Tokens and secrets are short; more than this is the wrong file. */
const MAX_SECRET_BYTES = 8_192;

/** Reads a secret from a file, as container platforms mount them. Throws when it cannot be read or is too long. */
export function readSecretFile(path: string): string {
  const buffer = Buffer.alloc(MAX_SECRET_BYTES + 1);
  const file = openSync(path, "r");
  try {
    const bytes = readToEnd(file, buffer);
    if (bytes > MAX_SECRET_BYTES) throw new RangeError(`a secret has at most ${MAX_SECRET_BYTES} bytes`);
    return buffer.toString("utf8", 0, bytes);
  } finally {
    closeSync(file);
  }
}

/** A pipe, as process substitution makes one, has no positions and gives its bytes in parts. */
function readToEnd(file: number, buffer: Uint8Array): number {
  let bytes = 0;
  while (bytes < buffer.length) {
    const read = readSync(file, buffer, bytes, buffer.length - bytes, null);
    if (read === 0) break;
    bytes += read;
  }
  return bytes;
}
