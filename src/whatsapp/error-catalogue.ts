import { isRingbackError } from "../errors.ts";
import { type CodeEntry, ERROR_CODES } from "./error-code.ts";

const UNKNOWN_CODE: CodeEntry = {
  name: "Unknown code",
  meaning: "This version of Ringback does not know the code.",
  nextStep: "Look the code up in Meta's error reference, and quote the trace id to Meta's support.",
  where: "both",
  source: "none",
};

/** Graph's subcode for an object that does not exist or that the token cannot see. */
const SUBCODE_NO_OBJECT = 33;
const SDP_FAULT = /\b(sdp|fingerprint|ice|dtls|codec|m=audio|rtcp|setup)\b/i;

/**
 * Explains an error code of the Graph API or of a terminate webhook.
 *
 * @param code Meta's number; null when the error had none.
 * @param details Meta's `error_data.details`. Code 100 says nothing without it.
 * @param subcode Graph's `error_subcode`.
 * @returns An entry in any case; for a code that is not in the catalogue one that says so.
 */
export function explainCode(
  code: number | null,
  details?: string | null,
  subcode?: number | null,
): CodeEntry {
  const entry = (code === null ? undefined : ERROR_CODES.get(code)) ?? UNKNOWN_CODE;
  if (code !== 100) return entry;
  if (subcode === SUBCODE_NO_OBJECT) {
    return {
      ...entry,
      meaning: "The phone number id does not exist, or the token may not use it.",
      nextStep: "Compare WHATSAPP_PHONE_NUMBER_ID with the app dashboard; it is not the phone number itself.",
    };
  }
  if (!SDP_FAULT.test(details ?? "")) return entry;
  return {
    ...entry,
    meaning: "WhatsApp refuses the SDP; the details say why.",
    nextStep: "Run `npx ringback sdp check` on the SDP that was sent; it names the line.",
  };
}

// Meta lists "the call is over already" and "accepted already" as possible errors without their codes, so they are known
// by their texts. Meta Calling API, "Reference", possible errors of the call actions (read 2026-11-22).
const ALREADY_ENDED = new RegExp(
  [
    String.raw`\balready (been |in (a |the )?)?(ended|terminated|completed|over|rejected|failed|disconnected)\b`,
    String.raw`\bcall (has |had |is |was )(been )?(ended|terminated|completed|over|rejected)\b`,
    String.raw`\b(ended|terminated|completed|rejected|failed) (call|state)\b`,
    String.raw`\bno longer (active|ongoing|in progress)\b`,
    String.raw`\breject\w* (is )?already in progress\b`,
  ].join("|"),
  "i",
);
const ALREADY_ACCEPTED = new RegExp(
  [
    String.raw`\balready (been )?(pre[-_ ]?accepted|accepted|answered|connected)\b`,
    String.raw`\bcall (is )?(already )?in[- ]progress\b`,
    String.raw`\bin[- ]progress call\b`,
  ].join("|"),
  "i",
);

/** True when the Graph API refused a request because the call is over: for `terminate` and `reject` that is success. */
export function isAlreadyEnded(error: unknown): boolean {
  return isStateError(error, ALREADY_ENDED);
}

/** True when the Graph API refused `pre_accept` or `accept` because an earlier one was taken. */
export function isAlreadyAccepted(error: unknown): boolean {
  return isStateError(error, ALREADY_ACCEPTED);
}

function isStateError(error: unknown, text: RegExp): boolean {
  if (!isRingbackError(error, "GRAPH_REQUEST_FAILED")) return false;
  const { graphCode, graphDetails } = error.details;
  const isCallCode = graphCode === 100 || (graphCode !== null && graphCode >= 138_000 && graphCode < 139_000);
  return isCallCode && text.test(graphDetails ?? "");
}
