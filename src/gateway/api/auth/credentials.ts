import type { FastifyRequest } from "fastify";

/** Stands before the key among the subprotocols of a WebSocket: browsers let pages set no other header. */
export const KEY_SUBPROTOCOL = "ringback.key.";

/**
 * The token of a request, null when there is none. It is taken from `Authorization` alone: what is in a URL gets into logs.
 *
 * @param allows `basic`: a browser may ask a person for it, as the password. `subprotocol`: it may be a WebSocket's.
 */
export function tokenOf(
  headers: FastifyRequest["headers"],
  allows: { readonly basic: boolean; readonly subprotocol: boolean },
): string | null {
  const { authorization } = headers;
  if (authorization !== undefined) {
    const [, scheme = "", value = ""] = /^(\S+) +(\S+)$/.exec(authorization) ?? [];
    if (scheme.toLowerCase() === "bearer") return value;
    if (scheme.toLowerCase() === "basic" && allows.basic) return passwordOf(value);
    return "";
  }
  return allows.subprotocol ? subprotocolToken(headers["sec-websocket-protocol"]) : null;
}

/** RFC 7617, section 2: everything after the first colon. */
function passwordOf(credentials: string): string {
  const text = Buffer.from(credentials, "base64").toString("utf8");
  return text.slice(text.indexOf(":") + 1);
}

function subprotocolToken(protocols: string | undefined): string | null {
  const entry = protocols
    ?.split(",")
    .map((protocol) => protocol.trim())
    .find((protocol) => protocol.startsWith(KEY_SUBPROTOCOL));
  return entry === undefined ? null : entry.slice(KEY_SUBPROTOCOL.length);
}
