import { type FileHandle, open, realpath, stat } from "node:fs/promises";

export interface FileFacts {
  /** The one path of the file, whatever links and relative paths lead to it. */
  readonly realPath: string;
  readonly isFile: boolean;
  readonly sizeBytes: number;
  /** Differs from that of an earlier version of the file, also of one that was moved into its place. */
  readonly version: string;
}

/** @throws The system's error, with its `code`. */
export async function readFileFacts(path: string): Promise<FileFacts> {
  const realPath = await realpath(path);
  const facts = await stat(realPath);
  return {
    realPath,
    isFile: facts.isFile(),
    sizeBytes: facts.size,
    version: `${facts.ino}:${facts.mtimeMs}:${facts.size}`,
  };
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
