import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { type FileFailure, fileFailure, fileFailureOf } from "./file-failure.ts";

export interface AppendFileOptions {
  /** Bytes that may wait for the disk. Default 1 MiB; when there are more, the disk counts as failed. */
  readonly maxQueuedBytes?: number;
  /** The file failed, at most once. What was written before stays; what is appended later is dropped. */
  readonly onError: (failure: FileFailure) => void;
}

const MAX_QUEUED_BYTES = 1024 * 1024;

/**
 * A new file that grows by what is appended, in order, without holding up the caller. Only its owner may read it (mode 0600); folders
 * on the way to it are made.
 */
export class AppendFile {
  readonly #path: string;
  readonly #maxQueuedBytes: number;
  readonly #onError: (failure: FileFailure) => void;
  readonly #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #file: FileHandle | null = null;
  #isCreated = false;
  #isWriting = false;
  #isFailed = false;
  #bytesWritten = 0;
  #bytesDropped = 0;
  #closed: Promise<void> | null = null;
  #onIdle: (() => void) | null = null;

  /** The file is made at once. When there is one already, that is an error. */
  constructor(path: string, options: AppendFileOptions) {
    this.#path = path;
    this.#maxQueuedBytes = options.maxQueuedBytes ?? MAX_QUEUED_BYTES;
    this.#onError = options.onError;
    void this.#write();
  }

  /** The file is there, be it empty. */
  get isCreated(): boolean {
    return this.#isCreated;
  }

  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  /** Bytes appended after the file failed or was closed, and those that waited when it failed. */
  get bytesDropped(): number {
    return this.#bytesDropped;
  }

  /** Takes bytes over: they are not to be changed any more. */
  append(bytes: Uint8Array): void {
    if (this.#isFailed || this.#closed !== null) {
      this.#bytesDropped += bytes.length;
      return;
    }
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    if (this.#queuedBytes > this.#maxQueuedBytes) this.#fail(fileFailure("QUEUE_FULL"));
    else if (!this.#isWriting) void this.#write();
  }

  /** Resolves when all is written and on the disk, or the file failed. Idempotent; never rejects. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    try {
      this.#file ??= await this.#create();
      for (let bytes = this.#queue[0]; bytes !== undefined; bytes = this.#queue[0]) {
        await this.#file.appendFile(bytes);
        this.#bytesWritten += bytes.length;
        // A failure has emptied the queue meanwhile.
        if (this.#queue.shift() !== undefined) this.#queuedBytes -= bytes.length;
      }
    } catch (error) {
      this.#fail(fileFailureOf(error));
    }
    this.#isWriting = false;
    this.#onIdle?.();
  }

  async #create(): Promise<FileHandle> {
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
    const file = await open(this.#path, "ax", 0o600);
    this.#isCreated = true;
    return file;
  }

  async #close(): Promise<void> {
    if (this.#isWriting) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    try {
      if (!this.#isFailed) await this.#file?.sync();
    } catch (error) {
      this.#fail(fileFailureOf(error));
    }
    try {
      await this.#file?.close();
    } catch (error) {
      this.#fail(fileFailureOf(error));
    }
  }

  #fail(failure: FileFailure): void {
    this.#bytesDropped += this.#queuedBytes;
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    if (this.#isFailed) return;
    this.#isFailed = true;
    this.#onError(failure);
  }
}
