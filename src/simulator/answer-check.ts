import { lintSdp, readAudioDescription, type SdpFinding, sdpRule } from "../core/sdp/index.ts";
import type { AudioDescription } from "../core/sdp/model.ts";
import { isRingbackError } from "../errors.ts";

export type AnswerVerdict =
  | { readonly ok: true; readonly answer: AudioDescription }
  | { readonly ok: false; readonly details: string };

/** Judges the business's SDP as WhatsApp does: the first broken rule decides, in Meta's words where they are known. */
export function checkAnswer(answerSdp: string, offerSdp: string): AnswerVerdict {
  const finding = lintAnswer(answerSdp, offerSdp).find(({ severity }) => severity === "error");
  if (finding !== undefined) return { ok: false, details: toDetails(finding) };
  try {
    return { ok: true, answer: readAudioDescription(answerSdp, { as: "answer" }) };
  } catch (error) {
    return { ok: false, details: error instanceof Error ? error.message : "Provided SDP is invalid" };
  }
}

function lintAnswer(answerSdp: string, offerSdp: string): readonly SdpFinding[] {
  try {
    return lintSdp(answerSdp, { as: "answer", offer: offerSdp });
  } catch (error) {
    // A test may have sent an unusable offer on purpose; then there is nothing to compare with.
    if (!isRingbackError(error, "OPTION_INVALID")) throw error;
    return lintSdp(answerSdp, { as: "answer" });
  }
}

function toDetails({ rule, message }: SdpFinding): string {
  return sdpRule(rule).metaDetails ?? message;
}
