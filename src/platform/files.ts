import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { RingbackError } from "../errors.ts";

/**
 * Reads a text file to its end, in UTF-8 or, when it begins with the mark of that, UTF-16; a byte order mark is left out.
 *
 * @param path A path, or `-` for standard input.
 * @param maxBytes What the file may have at most; reading stops there.
 * @throws {RingbackError} `OPTION_INVALID` with option `file` when it cannot be opened, or is larger.
 */
export async function readTextFile(
  path: string,
  maxBytes: number,
  standardInput: Readable = process.stdin,
): Promise<string> {
  const name = path === "-" ? "standard input" : path;
  // One byte more than allowed tells a file that is too large; the rest is not read.
  const stream = path === "-" ? standardInput : createReadStream(path, { end: maxBytes });
  const chunks: Uint8Array[] = [];
  let totalBytes = 0;
  try {
    for await (const chunk of stream) {
      const bytes = toBytes(chunk);
      chunks.push(bytes);
      totalBytes += bytes.byteLength;
      if (totalBytes > maxBytes) break;
    }
  } catch (cause) {
    throw unreadable(`${name} cannot be read: ${reasonOf(cause)}.`, cause);
  }
  if (totalBytes > maxBytes) throw unreadable(`${name} is larger than ${maxBytes} bytes.`);
  return decode(Buffer.concat(chunks));
}

function decode(bytes: Uint8Array): string {
  // Windows PowerShell writes UTF-16 with this mark when it redirects into a file.
  const isUtf16 = bytes[0] === 0xff && bytes[1] === 0xfe;
  return new TextDecoder(isUtf16 ? "utf-16le" : "utf-8").decode(bytes);
}

/** A stream gives strings once somebody has set its encoding. */
function toBytes(chunk: unknown): Uint8Array {
  return chunk instanceof Uint8Array ? chunk : Buffer.from(String(chunk));
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : null;
  if (code === "ENOENT") return "there is no such file";
  if (code === "EISDIR") return "it is a folder";
  if (code === "EACCES" || code === "EPERM") return "permission is denied";
  return typeof code === "string" ? code : "reading failed";
}

function unreadable(message: string, cause?: unknown): RingbackError<"OPTION_INVALID"> {
  return new RingbackError("OPTION_INVALID", message, { details: { option: "file" }, cause });
}
