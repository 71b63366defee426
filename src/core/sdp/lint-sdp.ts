import { isRingbackError, RingbackError } from "../../errors.ts";
import { type AudioFacts, collectAudioFacts } from "./audio-facts.ts";
import { createSubject, type Flaw, type Subject } from "./check.ts";
import { checks } from "./checks.ts";
import { parseSdp } from "./parse-sdp.ts";
import { SDP_RULES, sdpRule } from "./rules.ts";
import type { SdpDocument } from "./sdp-document.ts";
import type { SdpRole, SdpRuleId, SdpSeverity } from "./sdp-rule.ts";
import { checkLineEnds } from "./session-checks.ts";

/** One breach of a rule in a text. */
export interface SdpFinding {
  readonly rule: SdpRuleId;
  readonly severity: SdpSeverity;
  /** Counts from 1; null when the fault has no line. */
  readonly line: number | null;
  /** What is wrong at this place. The rule says why it matters. */
  readonly message: string;
  readonly mend: string;
}

export interface LintOptions {
  /** What the text is. */
  readonly as: SdpRole;
  /** The offer that the text answers: payload types and mid are compared with it. */
  readonly offer?: string;
}

/**
 * Says what WhatsApp would refuse in the SDP that a business sends, and what it would take but should not get.
 *
 * @returns Findings sorted by line; none when all is well. Unreadable text gives one finding of rule `readable`.
 * @throws {RingbackError} `OPTION_INVALID` when `offer` is no SDP with an audio section.
 */
export function lintSdp(text: string, options: LintOptions): readonly SdpFinding[] {
  const offer = readOfferFacts(options);
  const document = parseOrFinding(text);
  if ("rule" in document) return [document];
  const findings = [
    ...checkLineEnds(text).map((flaw) => toFinding("crlf", flaw)),
    ...lintSubject(createSubject(document, options.as, offer)),
  ];
  return findings.sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

/** The findings of every rule about the document, in the order of the rules. */
export function lintSubject(subject: Subject): readonly SdpFinding[] {
  return SDP_RULES.flatMap(({ id, appliesTo }) => {
    if (id === "readable" || id === "crlf" || (appliesTo !== "both" && appliesTo !== subject.as)) return [];
    return checks[id](subject).map((flaw) => toFinding(id, flaw));
  });
}

/** The facts of the offer in the options; null when none was given. */
export function readOfferFacts({ offer }: LintOptions): AudioFacts | null {
  if (offer === undefined) return null;
  const facts = collectAudioFacts(parseOffer(offer));
  if (facts === null) throw invalidOffer("it has no audio section");
  return facts;
}

function parseOffer(offer: string): SdpDocument {
  try {
    return parseSdp(offer);
  } catch (cause) {
    throw invalidOffer("it cannot be read as SDP", cause);
  }
}

function invalidOffer(problem: string, cause?: unknown): RingbackError<"OPTION_INVALID"> {
  return new RingbackError("OPTION_INVALID", `The offer to compare with is of no use: ${problem}.`, {
    details: { option: "offer" },
    cause,
  });
}

function parseOrFinding(text: string): SdpDocument | SdpFinding {
  try {
    return parseSdp(text);
  } catch (error) {
    if (!isRingbackError(error, "SDP_INVALID")) throw error;
    return toFinding("readable", { line: error.details.line, message: error.message });
  }
}

function toFinding(id: SdpRuleId, { line, message }: Flaw): SdpFinding {
  const { severity, mend } = sdpRule(id);
  return { rule: id, severity, line, message, mend };
}
