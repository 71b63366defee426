import { createHash } from "node:crypto";
import type { FastifyRequest } from "fastify";
import type { Logger } from "../../../logger.ts";
import type { Clock } from "../../../platform/clock.ts";
import type { ApiKeyRecord, IdempotencyKeys, IdempotentResponse } from "../../../store/types.ts";
import { ApiProblem } from "../problems.ts";
import type { JsonBody } from "./json-body.ts";

/** How long an `Idempotency-Key` stands for its first request, in ms. */
export const IDEMPOTENCY_MS: number = 24 * 3_600_000;
export const REPLAYED_HEADER = "idempotency-replayed";

export interface IdempotencyDeps {
  readonly idempotency: IdempotencyKeys;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** An answer, and what is kept of it for a repeated request. */
export interface Answer extends IdempotentResponse {
  readonly kept: string;
}

/**
 * The `Idempotency-Key` of a request, null when it has none. The quotes of a structured field
 * (draft-ietf-httpapi-idempotency-key-header-06, section 2.1) are taken off: both forms are in use.
 * @throws {ApiProblem} `invalid_request`.
 */
export function idempotencyKeyOf(headers: FastifyRequest["headers"]): string | null {
  const value = headers["idempotency-key"];
  if (value === undefined) return null;
  const text = (Array.isArray(value) ? "" : value).replace(/^"(.*)"$/, "$1");
  if (/^[\x21-\x7e]{1,255}$/.test(text)) return text;
  throw new ApiProblem("invalid_request", "The idempotency key is not one.", {
    errors: [
      { path: "headers.idempotency-key", message: "must be 1 to 255 visible ASCII characters, no spaces" },
    ],
  });
}

/**
 * Does the work once for each idempotency key; a repeated request gets the first one's answer. What failed on our side is done again.
 * @throws {ApiProblem} `idempotency_key_busy`, `idempotency_key_reused`; whatever `work` throws.
 */
export async function answerOnce(
  deps: IdempotencyDeps,
  request: FastifyRequest,
  key: ApiKeyRecord,
  idempotencyKey: string,
  work: () => Promise<Answer>,
): Promise<IdempotentResponse & { readonly isReplayed: boolean }> {
  const at = deps.clock.wallMs();
  const claim = await deps.idempotency.claim({
    keyId: key.id,
    idempotencyKey,
    requestHash: hashRequest(request),
    at,
    expiresAt: at + IDEMPOTENCY_MS,
  });
  if (claim === "busy")
    throw new ApiProblem("idempotency_key_busy", "Wait for the first request's answer.", { retryAfterS: 1 });
  if (claim === "conflict")
    throw new ApiProblem("idempotency_key_reused", "Use another key for another request.");
  if (claim !== "claimed") return { ...claim, isReplayed: true };
  return workAndKeep(deps, key.id, idempotencyKey, work);
}

async function workAndKeep(
  deps: IdempotencyDeps,
  keyId: string,
  idempotencyKey: string,
  work: () => Promise<Answer>,
): Promise<IdempotentResponse & { readonly isReplayed: boolean }> {
  const release = (): Promise<void> => deps.idempotency.release(keyId, idempotencyKey);
  let answer: Answer;
  try {
    answer = await work();
  } catch (error) {
    await release().catch((err: unknown) => deps.logger.warn({ err }, "an idempotency key stays taken"));
    throw error;
  }
  const { status, body, kept } = answer;
  const keep = isFinal(status)
    ? deps.idempotency.complete(keyId, idempotencyKey, { status, body: kept })
    : release();
  // The work is done: its answer goes out all the same.
  await keep.catch((err: unknown) =>
    deps.logger.warn({ err }, "an answer was not kept for a repeated request"),
  );
  return { status, body, isReplayed: false };
}

/** What another try can change is not kept. */
function isFinal(status: number): boolean {
  return status < 500 && status !== 429 && status !== 409;
}

function hashRequest(request: FastifyRequest): string {
  const { text = "" } = (request.body as JsonBody | undefined) ?? {};
  return createHash("sha256").update(`${request.method}\n${request.url}\n${text}`).digest("hex");
}
