/** The stable codes of what can go wrong. docs/api.md lists them all. */
export type ProblemCode =
  | "malformed_request"
  | "invalid_request"
  | "invalid_json"
  | "invalid_cursor"
  | "key_missing"
  | "key_invalid"
  | "key_expired"
  | "key_revoked"
  | "scope_missing"
  | "grant_too_wide"
  | "signature_invalid"
  | "signature_expired"
  | "origin_refused"
  | "not_found"
  | "method_not_allowed"
  | "request_timeout"
  | "call_not_live"
  | "command_id_reused"
  | "idempotency_key_busy"
  | "too_many_endpoints"
  | "recording_not_ready"
  | "endpoint_disabled"
  | "subject_has_live_call"
  | "cursor_expired"
  | "recording_deleted"
  | "body_too_large"
  | "unsupported_media_type"
  | "range_not_satisfiable"
  | "idempotency_key_reused"
  | "flow_invalid"
  | "url_refused"
  | "upgrade_required"
  | "rate_limited"
  | "too_many_commands"
  | "too_many_streams"
  | "headers_too_large"
  | "internal_error"
  | "overloaded"
  | "store_unavailable";

export interface ProblemSpec {
  readonly status: number;
  /** The same for every occurrence. */
  readonly title: string;
}

export const PROBLEMS: Readonly<Record<ProblemCode, ProblemSpec>> = {
  malformed_request: { status: 400, title: "The request is not HTTP as it should be" },
  invalid_request: { status: 400, title: "The request has mistakes" },
  invalid_json: { status: 400, title: "The body is not JSON that can be read" },
  invalid_cursor: { status: 400, title: "The cursor is not one of this list" },
  key_missing: { status: 401, title: "A key is needed" },
  key_invalid: { status: 401, title: "The key is not known" },
  key_expired: { status: 401, title: "The key has expired" },
  key_revoked: { status: 401, title: "The key was revoked" },
  scope_missing: { status: 403, title: "The key may not do this" },
  grant_too_wide: { status: 403, title: "A key cannot give more than it has" },
  signature_invalid: { status: 403, title: "The signed URL is not as it was made" },
  signature_expired: { status: 403, title: "The signed URL has expired" },
  origin_refused: { status: 403, title: "Pages of this origin may not connect" },
  not_found: { status: 404, title: "There is no such thing" },
  method_not_allowed: { status: 405, title: "This method is not for this path" },
  request_timeout: { status: 408, title: "The request took too long to arrive" },
  call_not_live: { status: 409, title: "The call is not on the line" },
  command_id_reused: { status: 409, title: "The command id was used for another command" },
  idempotency_key_busy: { status: 409, title: "A request with this idempotency key is being worked on" },
  too_many_endpoints: { status: 409, title: "There are as many endpoints as there may be" },
  recording_not_ready: { status: 409, title: "The recording is not finished" },
  endpoint_disabled: { status: 409, title: "The endpoint is disabled" },
  subject_has_live_call: { status: 409, title: "The person is on the line" },
  cursor_expired: { status: 410, title: "Events behind the cursor are no longer kept" },
  recording_deleted: { status: 410, title: "The recording was deleted" },
  body_too_large: { status: 413, title: "The body is too large" },
  unsupported_media_type: { status: 415, title: "The body must be JSON" },
  range_not_satisfiable: { status: 416, title: "The file has no such range" },
  idempotency_key_reused: { status: 422, title: "The idempotency key was used for another request" },
  flow_invalid: { status: 422, title: "The flow has mistakes" },
  url_refused: { status: 422, title: "This URL is not requested" },
  upgrade_required: { status: 426, title: "This path speaks WebSocket" },
  rate_limited: { status: 429, title: "Too many requests" },
  too_many_commands: { status: 429, title: "Too many commands of this call are under way" },
  too_many_streams: { status: 429, title: "Too many streams are open" },
  headers_too_large: { status: 431, title: "The head of the request is too large" },
  internal_error: { status: 500, title: "Something went wrong" },
  overloaded: { status: 503, title: "Too much to do" },
  store_unavailable: { status: 503, title: "The store cannot be used now" },
};

/** A mistake at one place of the request. */
export interface FieldError {
  /** Where: `body.digits`, `query.limit`, `params.id`. */
  readonly path: string;
  /** What would be right. */
  readonly message: string;
}

export interface ProblemOptions {
  readonly errors?: readonly FieldError[];
  /** In seconds, for the header `Retry-After`. */
  readonly retryAfterS?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Thrown by whatever answers a request: its answer is then this problem (RFC 9457). `detail` must hold nothing personal. */
export class ApiProblem extends Error {
  override readonly name: string = "ApiProblem";
  readonly code: ProblemCode;
  readonly errors: readonly FieldError[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(detail);
    this.code = code;
    this.errors = options.errors ?? [];
    this.headers = {
      ...options.headers,
      ...(options.retryAfterS !== undefined && { "retry-after": String(Math.ceil(options.retryAfterS)) }),
    };
  }

  get status(): number {
    return PROBLEMS[this.code].status;
  }
}

export const PROBLEM_CONTENT_TYPE = "application/problem+json";

/** RFC 9457, section 3.1, with `code` and, for mistakes of the request, `errors` as extensions. */
export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ProblemCode;
  readonly errors?: readonly FieldError[];
}

export function toProblemDocument(problem: ApiProblem): ProblemDocument {
  const { code, message, errors } = problem;
  const { status, title } = PROBLEMS[code];
  return {
    type: `/docs#${code}`,
    title,
    status,
    detail: message,
    code,
    ...(errors.length > 0 && { errors }),
  };
}
