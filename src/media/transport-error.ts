import { RingbackError } from "../errors.ts";

export const TRANSPORT_ENGINE_NAME = "transport";

/** What the engine rejects with. `reason` is for programs, `message` says what to do. */
export function transportFailed(
  message: string,
  reason: string,
  cause?: unknown,
): RingbackError<"MEDIA_ENGINE_FAILED"> {
  return new RingbackError("MEDIA_ENGINE_FAILED", message, {
    details: { engine: TRANSPORT_ENGINE_NAME, reason },
    ...(cause === undefined ? {} : { cause }),
  });
}
