import { readRequestUrl, type TargetRules } from "../core/net/judge-target.ts";
import type { RequestHop } from "../core/net/redirect.ts";
import { RingbackError } from "../errors.ts";
import type { OutgoingRequest } from "./outgoing-request.ts";
import { urlRefused } from "./outgoing-request-error.ts";

/** The connection's own affair, and what would have the answer be another than the one that is judged. */
const FORBIDDEN_HEADERS: ReadonlySet<string> = new Set([
  "accept-encoding",
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * @throws {RingbackError} `REQUEST_REFUSED` for the URL, `OPTION_INVALID` for headers.
 */
export function firstHop(request: OutgoingRequest, rules: TargetRules): RequestHop {
  const url = readRequestUrl(request.url, rules);
  if (typeof url === "string") throw urlRefused(url);
  const body = typeof request.body === "string" ? new TextEncoder().encode(request.body) : request.body;
  return {
    url,
    method: request.method ?? (body === undefined ? "GET" : "POST"),
    headers: {
      accept: request.accept?.join(", ") ?? "*/*",
      "user-agent": "ringback",
      ...readHeaders(request.headers ?? {}),
    },
    body: body ?? null,
  };
}

/** Names in lower case. */
function readHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const read: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    if (!TOKEN.test(lower) || !FIELD_VALUE.test(value)) {
      throw headerError("a header must be a name and one line of Latin-1 text");
    }
    if (FORBIDDEN_HEADERS.has(lower)) throw headerError(`the header ${lower} cannot be set`);
    read[lower] = value;
  }
  return read;
}

function headerError(message: string): RingbackError<"OPTION_INVALID"> {
  return new RingbackError("OPTION_INVALID", message, { details: { option: "headers" } });
}
