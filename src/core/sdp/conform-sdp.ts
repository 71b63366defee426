import { RingbackError } from "../../errors.ts";
import type { AudioFacts } from "./audio-facts.ts";
import { createSubject, type Subject } from "./check.ts";
import { checks } from "./checks.ts";
import { type LintOptions, lintSubject, readOfferFacts } from "./lint-sdp.ts";
import type { Change } from "./mended.ts";
import { menders } from "./menders.ts";
import { parseSdp } from "./parse-sdp.ts";
import { SDP_RULES } from "./rules.ts";
import type { SdpDocument } from "./sdp-document.ts";
import type { SdpRuleId } from "./sdp-rule.ts";
import { serializeSdp } from "./serialize-sdp.ts";
import { checkLineEnds } from "./session-checks.ts";

/** One thing that {@link conformSdp} did. */
export interface SdpChange extends Change {
  readonly rule: SdpRuleId;
}

export interface ConformResult {
  /** SDP with CRLF line ends that breaks no rule of severity `error`. */
  readonly sdp: string;
  readonly changes: readonly SdpChange[];
}

/**
 * Turns the SDP of another stack into one that WhatsApp takes: drops lines and replaces values, and keeps ICE
 * credentials, the sha-256 fingerprint, UDP candidates and the SSRC. Conforming the result changes nothing more.
 *
 * `a=setup:passive` stays as it is, for the stack would go on waiting whatever the text says.
 *
 * @throws {RingbackError} `SDP_INVALID` for text that is no SDP; `SDP_UNUSABLE` with the broken rule for what
 * cannot be mended in the text: no sha-256 fingerprint, no audio, no Opus, no ICE credentials, SDES;
 * `OPTION_INVALID` when `offer` is no SDP with an audio section.
 */
export function conformSdp(text: string, options: LintOptions): ConformResult {
  const offer = readOfferFacts(options);
  const lineEnds = checkLineEnds(text).map(({ line }) => ({
    rule: "crlf" as const,
    line,
    action: "replaced" as const,
    message: "Every line ends with CR LF, and no blank line follows.",
  }));
  const { subject, changes } = mend(parseSdp(text), options, offer);
  assertMended(subject);
  return { sdp: serializeSdp(subject.document), changes: [...lineEnds, ...changes] };
}

function mend(original: SdpDocument, { as }: LintOptions, offer: AudioFacts | null) {
  const changes: SdpChange[] = [];
  let subject = createSubject(original, as, offer);
  for (const { id, appliesTo } of SDP_RULES) {
    const mender = menders[id];
    if (id === "readable" || id === "crlf" || mender === undefined) continue;
    if (appliesTo !== "both" && appliesTo !== as) continue;
    const flaws = checks[id](subject);
    if (flaws.length === 0) continue;
    const mended = mender(subject, flaws);
    // One mender's work may be another rule's flaw: each rule looks at the document as it is by now.
    subject = createSubject(mended.document, as, offer);
    changes.push(...mended.changes.map((change) => ({ rule: id, ...change })));
  }
  return { subject, changes };
}

function assertMended(subject: Subject): void {
  const finding = lintSubject(subject).find(({ severity }) => severity === "error");
  if (finding === undefined) return;
  const { rule, message, mend: advice } = finding;
  const line = finding.line === 0 ? null : finding.line;
  throw new RingbackError("SDP_UNUSABLE", `The text alone cannot mend this SDP. ${message} ${advice}`, {
    details: { rule, line },
  });
}
