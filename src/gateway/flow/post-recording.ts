import type { RingbackError } from "../../errors.ts";
import { readFileChunks, readFileFacts } from "../../platform/file-source.ts";
import { guardedRequest, type RequestPolicy } from "../../platform/outgoing-request.ts";
import { type Random, systemRandom } from "../../platform/random.ts";
import type { RecordedFile } from "../verbs/types.ts";
import type { FlowEvent } from "./flow-options.ts";
import { fileName } from "./perform-step.ts";

export interface RecordingPost {
  readonly url: string;
  readonly event: FlowEvent;
  readonly files: readonly RecordedFile[];
}

/** Of all files of a post. What is larger stays on the disk: it would have to be held in memory. */
const MAX_FILES_BYTES = 32 * 1024 * 1024;
const CHUNK_BYTES = 1024 * 1024;
/** Between the tries. */
const RETRY_DELAYS_MS = [1_000, 4_000];

/**
 * Posts what became of a recording, and its files, as multipart/form-data (RFC 7578). Tries again where that may help.
 * @throws {RingbackError} `REQUEST_REFUSED`, `REQUEST_FAILED`.
 * @throws {Error} The system's, when a file cannot be read.
 */
export async function postRecording(
  post: RecordingPost,
  policy: RequestPolicy,
  wait: (ms: number) => Promise<void>,
): Promise<void> {
  const { contentType, body } = await buildForm(post);
  const request = { url: post.url, headers: { "content-type": contentType }, body };
  for (let tries = 0; ; tries += 1) {
    try {
      await guardedRequest(request, policy);
      return;
    } catch (error) {
      const delayMs = RETRY_DELAYS_MS[tries];
      if (delayMs === undefined || !(error as Partial<RingbackError>).retryable) throw error;
      await wait(delayMs);
    }
  }
}

async function buildForm(
  { event, files }: RecordingPost,
  random: Random = systemRandom,
): Promise<{ readonly contentType: string; readonly body: Uint8Array }> {
  // Long enough that no recording has it by chance.
  const boundary = `ringback-${Buffer.from(random(16)).toString("hex")}`;
  const parts: Uint8Array[] = [
    partHead(boundary, 'name="event"', "application/json"),
    encode(JSON.stringify(event)),
  ];
  let roomBytes = MAX_FILES_BYTES;
  for (const { path } of files) {
    const { sizeBytes } = await readFileFacts(path);
    if (sizeBytes > roomBytes) continue;
    roomBytes -= sizeBytes;
    // The names are ours, but for programs that give their own.
    const name = fileName(path).replace(/[^\w.-]/g, "_");
    parts.push(encode("\r\n"), partHead(boundary, `name="file"; filename="${name}"`, typeOf(name)));
    for await (const chunk of readFileChunks(path, CHUNK_BYTES)) parts.push(chunk);
  }
  parts.push(encode(`\r\n--${boundary}--\r\n`));
  return { contentType: `multipart/form-data; boundary=${boundary}`, body: Buffer.concat(parts) };
}

function partHead(boundary: string, disposition: string, contentType: string): Uint8Array {
  const lines = [
    `--${boundary}`,
    `content-disposition: form-data; ${disposition}`,
    `content-type: ${contentType}`,
  ];
  return encode(`${lines.join("\r\n")}\r\n\r\n`);
}

function typeOf(name: string): string {
  return name.endsWith(".wav") ? "audio/wav" : "audio/ogg";
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
