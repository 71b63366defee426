import type { CallRegistry } from "../call-registry.ts";
import type { CallsRequest } from "./calls-request.ts";
import { callingFailure, type GraphFailure, invalidParameter } from "./graph-failure.ts";

export interface CallsEndpoint {
  readonly registry: CallRegistry;
  readonly phoneNumberId: string;
  readonly isCallingEnabled: boolean;
}

/** Carries out a well-formed request. Returns why not, null when it was done. */
export function handleCallsRequest(endpoint: CallsEndpoint, request: CallsRequest): GraphFailure | null {
  if (!endpoint.isCallingEnabled) {
    return callingFailure(
      401,
      138000,
      "Calling not enabled",
      "Calling is disabled in this number's settings",
    );
  }
  if (request.action === "connect") {
    // Nobody gave a permission here, so that this is what WhatsApp would say.
    const details = "No approved call permission; the simulator does not take business-initiated calls yet";
    return callingFailure(401, 138006, "No approved call permission", details);
  }
  const session = endpoint.registry.find(request.callId);
  if (session === null) return invalidParameter("Unknown call id");
  if (session === "ended") return invalidParameter("Call is already terminated");
  if (session.phoneNumberId !== endpoint.phoneNumberId) return invalidParameter("Unknown call id");
  return session.handle(request);
}
