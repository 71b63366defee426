import { type ErrorCode, type ErrorDetails, RingbackError } from "../../errors.ts";

/** An error on its way between threads, where classes get lost. Its cause stays behind: it may hold anything. */
export type WireError =
  | {
      readonly kind: "ringback";
      readonly code: ErrorCode;
      readonly details: ErrorDetails[ErrorCode];
      readonly message: string;
      readonly retryable: boolean;
      readonly stack: string | undefined;
    }
  | {
      readonly kind: "other";
      readonly name: string;
      readonly code: string | undefined;
      readonly message: string;
      readonly stack: string | undefined;
    };

export function toWireError(error: unknown): WireError {
  if (error instanceof RingbackError) {
    const { code, details, message, retryable, stack } = error;
    return { kind: "ringback", code, details, message, retryable, stack };
  }
  if (!(error instanceof Error)) {
    return { kind: "other", name: "Error", code: undefined, message: String(error), stack: undefined };
  }
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  return { kind: "other", name: error.name, code, message: error.message, stack: error.stack };
}

/** The error as it was thrown over there, with the stack that it had there. */
export function fromWireError(wire: WireError): Error {
  const error =
    wire.kind === "ringback"
      ? new RingbackError(wire.code, wire.message, { details: wire.details, retryable: wire.retryable })
      : Object.assign(new Error(wire.message), { name: wire.name, code: wire.code });
  if (wire.stack !== undefined) error.stack = wire.stack;
  return error;
}
