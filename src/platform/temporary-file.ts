import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readFileChunks } from "./file-source.ts";

const READ_BYTES = 65_536;

/** Has `work` write the file `name` in a folder that this process alone may read, and that is gone afterwards. */
export async function withTemporaryFile<T>(name: string, work: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "ringback-"));
  try {
    return await work(join(folder, name));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * A file's bytes; null when there are more than `maxBytes`.
 *
 * @throws The system's error, with its `code`.
 */
export async function readSmallFile(path: string, maxBytes: number): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of readFileChunks(path, READ_BYTES)) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes) return null;
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}
