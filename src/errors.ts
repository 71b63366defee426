const BRAND = Symbol.for("ringback.error");

/** One setting that is missing or malformed. */
export interface ConfigProblem {
  /** Name of the environment variable or option. */
  readonly name: string;
  readonly problem: string;
  /** Where a right value is to be found. */
  readonly hint: string;
}

/** What each code carries. The keys of this interface are the public list of codes (docs/errors.md). */
export interface ErrorDetails {
  /** Settings are missing or malformed; all of them are listed at once. */
  CONFIG_INVALID: { readonly problems: readonly ConfigProblem[] };
  /** An option given to a function is outside its range. */
  OPTION_INVALID: { readonly option: string };
  /** SDP that cannot be read at all. `line` counts from 1; null when the fault has no line. */
  SDP_INVALID: { readonly line: number | null; readonly reason: string };
  /** SDP that reads well but that no WhatsApp call can be made of. `rule` is the id of the broken rule. */
  SDP_UNUSABLE: { readonly rule: string; readonly line: number | null };
  /** The Graph API answered with an error object. */
  GRAPH_REQUEST_FAILED: {
    readonly status: number;
    readonly graphCode: number | null;
    readonly graphSubcode: number | null;
    /** Meta's `error_data.details`, the most precise text there is. */
    readonly graphDetails: string | null;
    /** Quote this one to Meta's support. */
    readonly traceId: string | null;
    readonly meaning: string;
    readonly nextStep: string;
  };
  /** The Graph API gave no usable answer: not reached, too late, or not JSON. */
  GRAPH_UNREACHABLE: { readonly reason: "network" | "timeout" | "bad-response"; readonly attempts: number };
  /** `X-Hub-Signature-256` is absent or does not match the raw body. */
  WEBHOOK_SIGNATURE_INVALID: { readonly reason: "missing" | "malformed" | "mismatch" };
  /** A signed webhook whose body is no envelope of a WhatsApp Business account. */
  WEBHOOK_BODY_INVALID: { readonly reason: "not-json" | "not-an-envelope" };
  /** The operation is not possible in the call's present phase. */
  CALL_WRONG_PHASE: { readonly callId: string; readonly phase: string; readonly operation: string };
  /** The call ended before the operation was done. */
  CALL_ENDED: { readonly callId: string; readonly reason: string };
  /** A media file cannot be played. */
  MEDIA_FILE_UNUSABLE: {
    readonly path: string;
    readonly reason: "missing" | "unreadable" | "empty" | "too-large" | "too-long" | "not-audio";
  };
  /** A call flow has mistakes: at most 50 are listed. */
  FLOW_INVALID: { readonly mistakes: readonly { readonly path: string; readonly message: string }[] };
  /** The media engine could not be loaded or could not open a leg. */
  MEDIA_ENGINE_FAILED: { readonly engine: string; readonly reason: string };
  /** A recording was not made, or ends before its end. `reason` is a sentence. */
  RECORDING_FAILED: { readonly reason: string };
  /** A call's media connection broke down or did not come up. `reason` is a `MediaDownReason`, or `unknown`. */
  MEDIA_LOST: { readonly reason: string };
  /** A URL that somebody else named is not requested (docs/outgoing-requests.md). */
  REQUEST_REFUSED: {
    readonly reason: "url" | "scheme" | "plain-http" | "credentials" | "port" | "address" | "not-listed";
  };
  /** A request to such a URL gave no usable answer. `status` is null when it was not for one. */
  REQUEST_FAILED: {
    readonly reason: "network" | "timeout" | "status" | "too-large" | "too-many-redirects" | "bad-response";
    readonly status: number | null;
  };
  /** A program that was to be run did not do its work. */
  COMMAND_FAILED: {
    readonly command: string;
    readonly reason:
      | "not-found"
      | "not-permitted"
      | "not-started"
      | "exit-code"
      | "killed"
      | "timeout"
      | "too-much-output"
      | "busy";
    /** Null when it did not end by itself. */
    readonly exitCode: number | null;
  };
  /** A text was not spoken. `speech` is the name of what was to speak it. */
  SPEECH_FAILED: {
    readonly speech: string;
    readonly reason:
      | "text-empty"
      | "text-too-long"
      | "voice-invalid"
      | "unavailable"
      | "refused"
      | "failed"
      | "timeout"
      | "busy"
      | "too-large"
      | "not-audio";
  };
  /** The store cannot write or read now. What waits for it is kept and tried again. */
  STORE_UNAVAILABLE: {
    readonly reason:
      | "disk-full"
      | "read-only"
      | "connection"
      | "busy"
      | "io"
      | "corrupt"
      | "closed"
      | "overloaded";
  };
  /** The store cannot be opened. */
  STORE_UNUSABLE: {
    readonly reason:
      | "corrupt"
      | "newer-schema"
      | "folder"
      | "connection"
      | "permission"
      | "in-use"
      | "driver";
  };
  /** The gateway is not in a state that allows the operation. */
  GATEWAY_WRONG_STATE: { readonly state: string; readonly operation: string };
  /** The simulator is not in a state that allows the operation. */
  SIMULATOR_WRONG_STATE: { readonly state: string; readonly operation: string };
  /** The simulator's webhook was not taken by the program under test. `status` is null when nothing answered. */
  SIMULATOR_WEBHOOK_REFUSED: { readonly status: number | null; readonly attempts: number };
}

export type ErrorCode = keyof ErrorDetails;

export interface RingbackErrorOptions<C extends ErrorCode> {
  readonly details: ErrorDetails[C];
  /** True when the same request may succeed later without a change. Default false. */
  readonly retryable?: boolean;
  readonly cause?: unknown;
}

/** Every error that this library throws or rejects with. Match on `code`, not on the message. */
export class RingbackError<C extends ErrorCode = ErrorCode> extends Error {
  override readonly name: string = "RingbackError";
  readonly code: C;
  readonly details: ErrorDetails[C];
  readonly retryable: boolean;

  constructor(code: C, message: string, options: RingbackErrorOptions<C>) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details;
    this.retryable = options.retryable ?? false;
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** True for errors of every copy of this package in the process, not of this one alone. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && BRAND in value;
  }
}

/** Narrows an unknown error to one code with its typed details. */
export function isRingbackError<C extends ErrorCode>(error: unknown, code: C): error is RingbackError<C> {
  return error instanceof RingbackError && error.code === code;
}
