import { writeFile as write } from "node:fs/promises";

/** Writes a whole file, or replaces it. */
export function writeFile(path: string, bytes: Uint8Array): Promise<void> {
  return write(path, bytes);
}
