import type { Duplex } from "node:stream";
import {
  ApiProblem,
  PROBLEM_CONTENT_TYPE,
  PROBLEMS,
  type ProblemCode,
  toProblemDocument,
} from "../problems.ts";

const REASONS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  408: "Request Timeout",
  431: "Request Header Fields Too Large",
};

/** Answers what is not HTTP enough to become a request, and closes the connection: what follows on it cannot be trusted. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === "ECONNRESET" || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const [code, detail] = faultOf(error.code);
  const body = JSON.stringify(toProblemDocument(new ApiProblem(code, detail)));
  const { status } = PROBLEMS[code];
  const head = [
    `HTTP/1.1 ${status} ${REASONS[status] ?? "Error"}`,
    `Content-Type: ${PROBLEM_CONTENT_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy());
}

function faultOf(code: string | undefined): readonly [ProblemCode, string] {
  if (code === "HPE_HEADER_OVERFLOW") return ["headers_too_large", "A head may have 16 KiB."];
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return ["request_timeout", "Send the request faster."];
  return ["malformed_request", "The request breaks the rules of HTTP/1.1 (RFC 9112)."];
}
