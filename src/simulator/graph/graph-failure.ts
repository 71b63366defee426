import { systemRandom } from "../../platform/random.ts";

/** A refusal of the Graph API: HTTP status and the `error` object without its trace id. */
export interface GraphFailure {
  readonly status: number;
  readonly error: Readonly<Record<string, unknown>>;
}

/**
 * Invalid parameter, in the form that a real refusal of an SDP answer had (captured 2025): code 100, subcode
 * 2494010, the precise reason in `error_data.details`.
 */
export function invalidParameter(details: string): GraphFailure {
  return {
    status: 400,
    error: {
      message: "Invalid parameter",
      type: "OAuthException",
      code: 100,
      error_data: { messaging_product: "whatsapp", details },
      error_subcode: 2494010,
      is_transient: false,
      error_user_title: "Parameter Invalid",
      error_user_msg: "Check input parameters and retry the request",
    },
  };
}

/** An error of the calling table. Meta Calling API, "Troubleshooting" (read 2026-11-22). */
export function callingFailure(status: number, code: number, title: string, details: string): GraphFailure {
  return {
    status,
    error: {
      message: `(#${code}) ${title}`,
      type: "OAuthException",
      code,
      error_data: { messaging_product: "whatsapp", details },
    },
  };
}

export const invalidToken: GraphFailure = {
  status: 401,
  error: {
    message: "Invalid OAuth access token - Cannot parse access token",
    type: "OAuthException",
    code: 190,
  },
};

export const unknownObject: GraphFailure = {
  status: 400,
  error: {
    message:
      "Unsupported request. Object with this ID does not exist, cannot be loaded due to missing permissions, or does not support this operation",
    type: "GraphMethodException",
    code: 100,
    error_subcode: 33,
  },
};

export const unknownPath: GraphFailure = {
  status: 404,
  error: { message: "Unknown path components", type: "OAuthException", code: 2500 },
};

export const internalFailure: GraphFailure = {
  status: 500,
  error: { message: "An unknown error occurred", type: "OAuthException", code: 1, is_transient: true },
};

/** A request that is no JSON object in UTF-8, or too large. */
export function unreadableBody(status: number): GraphFailure {
  return {
    status,
    error: {
      message: "(#100) The request body is not a readable JSON object",
      type: "OAuthException",
      code: 100,
    },
  };
}

/** The precise reason, or the message when there is none. */
export function reasonOf({ error }: GraphFailure): string {
  const data = error["error_data"];
  const details = typeof data === "object" && data !== null && "details" in data ? data.details : null;
  return String(details ?? error["message"]);
}

/** The body as it goes over the wire, with a trace id of its own. */
export function toErrorBody(failure: GraphFailure): object {
  const traceId = `A${Buffer.from(systemRandom(16)).toString("base64url")}`;
  return { error: { ...failure.error, fbtrace_id: traceId } };
}
