import { type FileHandle, lstat, open, rename, rm } from "node:fs/promises";

/**
 * A file that comes into its place when it is whole: until then it is written beside it, as `<path>.tmp`. Only its owner may read it
 * (mode 0600). All methods reject with the system's error, with its `code`.
 */
export class ReplaceFile {
  readonly #path: string;
  readonly #temporaryPath: string;
  readonly #file: FileHandle;
  #isClosed = false;

  private constructor(path: string, temporaryPath: string, file: FileHandle) {
    this.#path = path;
    this.#temporaryPath = temporaryPath;
    this.#file = file;
  }

  static async create(path: string): Promise<ReplaceFile> {
    const temporaryPath = `${path}.tmp`;
    // What a crash has left.
    await rm(temporaryPath, { force: true });
    return new ReplaceFile(path, temporaryPath, await open(temporaryPath, "wx", 0o600));
  }

  /** Appends bytes. */
  async write(bytes: Uint8Array): Promise<void> {
    await this.#file.appendFile(bytes);
  }

  /** Overwrites bytes at the file's beginning. Nothing is to be appended after. */
  async writeAtStart(bytes: Uint8Array): Promise<void> {
    await this.#file.write(bytes, 0, bytes.length, 0);
  }

  /** Brings the file into its place, instead of one that may be there. */
  async commit(): Promise<void> {
    await this.#file.sync();
    await this.#close();
    await rename(this.#temporaryPath, this.#path);
  }

  /** Leaves everything as it was. Does nothing after `commit`. */
  async discard(): Promise<void> {
    await this.#close();
    await rm(this.#temporaryPath, { force: true });
  }

  async #close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#file.close();
  }
}

/** @throws The system's error, with its `code`; there being none is no error. */
export function removeFile(path: string): Promise<void> {
  return rm(path, { force: true });
}

/** True when there is anything of this name. */
export async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch {
    return false;
  }
}
