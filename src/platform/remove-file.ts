import { unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { isAbsent, isWithin } from "./read-range.ts";

/**
 * Removes a file; one that is not there is removed already. A link is removed, and not what it leads to.
 *
 * @param within Folder that it must stand in; null: anywhere.
 * @returns False when it stands elsewhere, and was left alone.
 * @throws The system's error, with its `code`, when it cannot be removed.
 */
export async function removeFile(path: string, within: string | null): Promise<boolean> {
  if (within !== null) {
    const isThere = await isWithin(dirname(path), within);
    if (isThere !== true) return isThere === null;
  }
  try {
    await unlink(path);
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
  return true;
}
