import { type FileHandle, open, realpath } from "node:fs/promises";
import { sep } from "node:path";
import type { Readable } from "node:stream";

/** A file that is open: what is read is of the same file, whatever is moved into its place meanwhile. */
export interface OpenFile {
  readonly sizeBytes: number;
  /** Both ends included. Closes the file when it is read, or destroyed. */
  stream(begin: number, end: number): Readable;
  close(): Promise<void>;
}

/**
 * Opens a file to read a part of it.
 *
 * @param within Folder that it must be in, wherever links lead; null: anywhere.
 * @returns Null when there is no such file, it is no plain file, or it is elsewhere.
 * @throws The system's error, with its `code`, when it is there but cannot be read.
 */
export async function openForReading(path: string, within: string | null): Promise<OpenFile | null> {
  if (within !== null && (await isWithin(path, within)) !== true) return null;
  const handle = await openIfThere(path);
  if (handle === null) return null;
  const facts = await handle.stat();
  if (!facts.isFile()) {
    await handle.close();
    return null;
  }
  return {
    sizeBytes: facts.size,
    stream: (begin, end) => handle.createReadStream({ start: begin, end }),
    close: () => handle.close(),
  };
}

/** Whether what a path leads to is a folder, or something in it, links followed. Null when there is nothing at the path. */
export async function isWithin(path: string, folder: string): Promise<boolean | null> {
  const [place, root] = [await placeOf(path), await placeOf(folder)];
  if (place === null) return null;
  return root !== null && (place === root || place.startsWith(root.endsWith(sep) ? root : root + sep));
}

async function placeOf(path: string): Promise<string | null> {
  try {
    return await realpath(path);
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
}

export function isAbsent(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP";
}
