import { type FileHandle, open, stat } from "node:fs/promises";

/** What tells one version of a file from another. */
export interface FileFacts {
  readonly isFile: boolean;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

/** @throws The system's error, with its `code`. */
export async function readFileFacts(path: string): Promise<FileFacts> {
  const facts = await stat(path);
  return { isFile: facts.isFile(), sizeBytes: facts.size, modifiedMs: facts.mtimeMs };
}

/**
 * A file's bytes in chunks of at most `chunkBytes`, never all of them at once. Each chunk has its own memory.
 *
 * @throws The system's error, with its `code`.
 */
export async function* readFileChunks(path: string, chunkBytes: number): AsyncGenerator<Uint8Array> {
  let file: FileHandle | null = null;
  try {
    file = await open(path, "r");
    for (;;) {
      const { bytesRead, buffer } = await file.read(new Uint8Array(chunkBytes), 0, chunkBytes, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file?.close();
  }
}
