import type { FastifyReply } from "fastify";
import { isRingbackError } from "../../../errors.ts";
import type { Logger } from "../../../logger.ts";
import { ApiProblem, PROBLEM_CONTENT_TYPE, type ProblemCode, toProblemDocument } from "../problems.ts";

/** How soon it is worth asking again when the store is gone, in s. */
const STORE_RETRY_S = 5;

/** What fastify itself finds wrong with a request. */
const FASTIFY_FAULTS: Readonly<Record<string, readonly [ProblemCode, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ["body_too_large", "A body may have 256 KiB."],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ["unsupported_media_type", "Send Content-Type: application/json."],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [
    "malformed_request",
    "The body is not as long as Content-Length says.",
  ],
  FST_ERR_CTP_EMPTY_TYPE: ["unsupported_media_type", "Send Content-Type: application/json."],
  FST_ERR_BAD_URL: ["malformed_request", "The path cannot be decoded."],
  FST_ERR_MAX_PARAM_LENGTH: ["not_found", "There is nothing at this path."],
  FST_ERR_ASYNC_CONSTRAINT: ["malformed_request", "The request cannot be routed."],
};

/** Whatever was thrown, as what the client is told. What is not known is logged, and its message kept in the house. */
export function toProblem(error: unknown, logger: Logger): ApiProblem {
  if (error instanceof ApiProblem) return error;
  if (isRingbackError(error, "STORE_UNAVAILABLE")) {
    logger.error({ err: error }, "the API cannot use the store");
    const detail = "Nothing was changed. Try again after a while.";
    return new ApiProblem("store_unavailable", detail, { retryAfterS: STORE_RETRY_S });
  }
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const fault = FASTIFY_FAULTS[code];
  if (fault !== undefined) return new ApiProblem(fault[0], fault[1]);
  logger.error({ err: error }, "a request to the API failed");
  return new ApiProblem("internal_error", "The log of the gateway says what it was.");
}

/** Answers with a problem document (RFC 9457). */
export function sendProblem(reply: FastifyReply, problem: ApiProblem): FastifyReply {
  return reply
    .code(problem.status)
    .headers(problem.headers)
    .type(PROBLEM_CONTENT_TYPE)
    .send(JSON.stringify(toProblemDocument(problem)));
}
