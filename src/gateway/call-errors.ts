import type { CallPhase, EndReason, MediaDownReason } from "../core/call/types.ts";
import { RingbackError } from "../errors.ts";

export function rejectedTooLate(callId: string, phase: CallPhase): RingbackError<"CALL_WRONG_PHASE"> {
  return new RingbackError(
    "CALL_WRONG_PHASE",
    "A call can be rejected before it is answered; this one is active. Use hangUp() instead.",
    { details: { callId, phase, operation: "reject" } },
  );
}

/** @param cause What went wrong on our side or in the Graph API, if that is why. */
export function callEnded(
  callId: string,
  reason: EndReason,
  operation: string,
  cause: RingbackError | null,
): RingbackError<"CALL_ENDED"> {
  return new RingbackError("CALL_ENDED", `The call ended (${reason}) before ${operation} was done.`, {
    details: { callId, reason },
    cause: cause ?? undefined,
  });
}

/** @param how `lost`: media was up before. @param reason Undefined: the engine does not know. */
export function mediaLost(
  how: "lost" | "failed",
  reason: MediaDownReason | undefined,
): RingbackError<"MEDIA_LOST"> {
  const what = how === "lost" ? "The media connection was lost" : "The media connection did not come up";
  const why = reason === undefined ? "" : ` (${reason})`;
  return new RingbackError("MEDIA_LOST", `${what}${why}.`, { details: { reason: reason ?? "unknown" } });
}

/** A program that does not wait for what it asked for must not end by it. */
export function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {
    // Told to whoever awaits it.
  });
  return promise;
}
