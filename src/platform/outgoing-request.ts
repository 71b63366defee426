import { readRequestUrl } from "../core/net/judge-target.ts";
import { followRedirect, type RequestHop } from "../core/net/redirect.ts";
import { RingbackError } from "../errors.ts";
import { type ExchangeResult, exchange } from "./outgoing-exchange.ts";
import { failureOf } from "./outgoing-failure.ts";
import { judgedAddresses } from "./outgoing-judge.ts";
import { downgradeRefused, requestFailed, urlRefused } from "./outgoing-request-error.ts";
import { firstHop } from "./outgoing-request-head.ts";
import type { RequestPolicy } from "./outgoing-request-policy.ts";

export { createRequestPolicy, type RequestOptions, type RequestPolicy } from "./outgoing-request-policy.ts";

export interface OutgoingRequest {
  /** Absolute. */
  readonly url: string;
  /** Default `POST` when there is a body, otherwise `GET`. */
  readonly method?: "GET" | "POST";
  /** Another origin that is redirected to gets none but `accept`, `accept-language`, `content-type` and `user-agent`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** Content types that the answer may have, such as `application/json` or `audio/*`; one without any is taken. Default: any. */
  readonly accept?: readonly string[];
  /** Less than the policy's. */
  readonly timeoutMs?: number;
  /** Less than the policy's. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
}

export interface OutgoingResponse {
  /** Where the answer came from after redirects: what relative URLs in it are to be resolved against. It may hold secrets. */
  readonly url: string;
  /** 200–299. */
  readonly status: number;
  /** Lower case, without parameters; null when it was not said. */
  readonly contentType: string | null;
  readonly bytes: Uint8Array;
}

interface Context extends Required<Pick<OutgoingRequest, "accept" | "timeoutMs" | "maxBytes">> {
  readonly policy: RequestPolicy;
  /** Aborts at the end of the time, or when the caller wants no more. */
  readonly signal: AbortSignal;
}

/**
 * Requests a URL that somebody else has named: a flow, a user, another server.
 *
 * Every address that the host stands for is judged, and the connection goes to one of exactly these. Redirects are judged
 * as the first URL was. Nothing is kept open afterwards.
 *
 * @throws {RingbackError} `REQUEST_REFUSED`, `REQUEST_FAILED`, `OPTION_INVALID` for headers; the signal's reason when it aborts.
 */
export async function guardedRequest(
  request: OutgoingRequest,
  policy: RequestPolicy,
): Promise<OutgoingResponse> {
  const { signal } = request;
  signal?.throwIfAborted();
  const first = firstHop(request, policy);
  const timeoutMs = Math.min(request.timeoutMs ?? policy.timeoutMs, policy.timeoutMs);
  const maxBytes = Math.min(request.maxBytes ?? policy.maxBytes, policy.maxBytes);
  const ending = new AbortController();
  const end = (): void => ending.abort();
  const timer = setTimeout(end, timeoutMs);
  signal?.addEventListener("abort", end, { once: true });
  const context = { accept: request.accept ?? [], timeoutMs, maxBytes, policy, signal: ending.signal };
  try {
    return await follow(first, context);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", end);
  }
}

async function follow(first: RequestHop, context: Context): Promise<OutgoingResponse> {
  const { policy } = context;
  let hop = first;
  for (let redirects = 0; ; redirects += 1) {
    const result = await visit(hop, context);
    if (result.kind === "answer") {
      const { status, contentType, bytes } = result;
      return { url: hop.url.href, status, contentType, bytes };
    }
    if (redirects >= policy.maxRedirects) {
      const message = `${hop.url.origin} redirects once more after ${redirects} redirects (requests.maxRedirects).`;
      throw requestFailed("too-many-redirects", message, { status: result.status });
    }
    hop = nextHop(hop, result, policy);
  }
}

function nextHop(
  hop: RequestHop,
  { status, location }: Extract<ExchangeResult, { kind: "redirect" }>,
  policy: RequestPolicy,
): RequestHop {
  const next = followRedirect(hop, status, location);
  if (next === null) {
    throw requestFailed("bad-response", `${hop.url.origin} redirects to no URL.`, { status });
  }
  const url = readRequestUrl(next.location, { ...policy, allowHttp: true });
  if (typeof url === "string") throw urlRefused(url);
  if (url.protocol === "http:" && hop.url.protocol === "https:") throw downgradeRefused(hop.url);
  return { url, method: next.method, headers: next.headers, body: next.body };
}

async function visit(hop: RequestHop, context: Context): Promise<ExchangeResult> {
  const { policy, signal, accept, maxBytes } = context;
  try {
    const addresses = await judgedAddresses(hop.url, context);
    return await exchange(hop, { addresses, ca: policy.ca, maxBytes, accept, signal });
  } catch (error) {
    if (error instanceof RingbackError) throw error;
    throw failureOf(error, hop.url, context);
  }
}
