import type { FastifyReply, FastifyRequest } from "fastify";
import { hasEtag, rangeCounts, readRange } from "../../../core/http/byte-range.ts";
import type { OpenFile } from "../../../platform/read-range.ts";
import type { RecordingFileRecord, RecordingRecord } from "../../../store/types.ts";
import { ApiProblem } from "../problems.ts";

/** WAV: RFC 2361 has `audio/vnd.wave`, which browsers do not know. Ogg: RFC 5334. */
const CONTENT_TYPES = { opus: "audio/ogg", wav: "audio/wav" } as const;
const EXTENSIONS = { opus: "opus", wav: "wav" } as const;

/**
 * Answers with a file or a range of it (RFC 9110, section 14). It is read as fast as the client takes it. Closes the file.
 *
 * @throws {ApiProblem} `range_not_satisfiable`.
 */
export async function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  file: OpenFile,
  { format, id }: RecordingRecord,
  { sha256, channel }: RecordingFileRecord,
): Promise<FastifyReply> {
  const etag = `"${sha256}"`;
  void reply.headers({
    etag,
    "accept-ranges": "bytes",
    "content-disposition": `attachment; filename="${id}-${channel}.${EXTENSIONS[format]}"`,
    // Whatever it holds, no browser is to run it.
    "content-security-policy": "default-src 'none'; sandbox",
  });
  if (hasEtag(request.headers["if-none-match"], etag)) {
    await file.close();
    return reply.code(304).send();
  }
  void reply.type(CONTENT_TYPES[format]);
  const { sizeBytes } = file;
  const ifRange = request.headers["if-range"];
  const counts =
    request.method === "GET" && rangeCounts(typeof ifRange === "string" ? ifRange : undefined, etag);
  const range = counts ? readRange(request.headers.range, sizeBytes) : "whole";
  if (range === "none") {
    await file.close();
    throw notSatisfiable(sizeBytes);
  }
  if (range === "whole") return send(request, reply.code(200), file, 0, sizeBytes - 1);
  const { begin, end } = range;
  void reply.code(206).header("content-range", `bytes ${begin}-${end}/${sizeBytes}`);
  return send(request, reply, file, begin, end);
}

async function send(
  request: FastifyRequest,
  reply: FastifyReply,
  file: OpenFile,
  begin: number,
  end: number,
): Promise<FastifyReply> {
  void reply.header("content-length", String(end - begin + 1));
  if (request.method !== "HEAD" && end >= begin) return reply.send(file.stream(begin, end));
  await file.close();
  // Fastify would count the bytes that are not sent.
  reply.hijack();
  reply.raw.writeHead(reply.statusCode, reply.getHeaders() as Record<string, string>).end();
  return reply;
}

function notSatisfiable(sizeBytes: number): ApiProblem {
  return new ApiProblem("range_not_satisfiable", `The file has ${sizeBytes} bytes.`, {
    headers: { "content-range": `bytes */${sizeBytes}` },
  });
}
