/** Why a file could not be written. */
export interface FileFailure {
  /** The system's code, such as `ENOSPC`, or `QUEUE_FULL`: the disk is slower than what is to be written. */
  readonly code: string;
  /** In plain words, as the end of a sentence. */
  readonly message: string;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the quota of disk space is used up",
  EFBIG: "the file would be too large",
  EIO: "the disk failed",
  EROFS: "the file system is read-only",
  EACCES: "permission is denied",
  EPERM: "permission is denied",
  EEXIST: "there is a file of this name already",
  ENOENT: "there is no such file or folder",
  ENOTDIR: "a part of the path is no folder",
  EISDIR: "it is a folder",
  ENAMETOOLONG: "the name is too long",
  EMFILE: "too many files are open",
  ENFILE: "too many files are open",
  ENODATA: "the file holds no sound",
  QUEUE_FULL: "the disk is too slow",
};

export function fileFailure(code: string): FileFailure {
  return { code, message: REASONS[code] ?? `the system said ${code}` };
}

/** What a failed operation of the file system means. */
export function fileFailureOf(error: unknown): FileFailure {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return typeof code === "string" ? fileFailure(code) : { code: "UNKNOWN", message: "writing failed" };
}
