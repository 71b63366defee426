import { chmod, mkdir, open, stat } from "node:fs/promises";
import { dirname } from "node:path";

/** Nobody but this user may read what is in it. */
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

/**
 * Makes a file that only this user may read and write, and its folder, where they are not there yet. A folder that is there keeps its
 * permissions; of a file those of others are taken away.
 *
 * @throws The system's error, with its `code`.
 */
export async function makePrivateFile(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: FOLDER_MODE });
  const file = await open(path, "a", FILE_MODE);
  await file.close();
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0) await chmod(path, FILE_MODE);
}
