/** Where a call is that a user placed. Meta Calling API, "User-initiated calls" (read 2026-11-22). */
export type UserCallState =
  | { readonly phase: "ringing" }
  | { readonly phase: "pre-accepted"; readonly answerSdp: string }
  | { readonly phase: "accepted"; readonly answerSdp: string }
  | { readonly phase: "ended" };

/** What the business may ask for such a call. */
export type UserCallAction = "pre_accept" | "accept" | "reject" | "terminate";

/**
 * Why WhatsApp refuses the action now, null when it does not. Meta lists these errors without code or text, so the
 * texts are this simulator's. A repeated `pre_accept` with the same SDP is taken as a retry.
 */
export function refuseAction(
  state: UserCallState,
  action: UserCallAction,
  answerSdp: string | null,
): string | null {
  if (state.phase === "ended") return "Call is already terminated";
  if (action === "terminate") return null;
  if (state.phase === "accepted") return "Call is already accepted";
  if (action === "reject" || state.phase === "ringing") return null;
  // Meta Calling API, "Reference": the answer of accept must be the one of pre_accept.
  return state.answerSdp === answerSdp ? null : "SDP answer differs from pre_accept";
}
