import { type SdpFinding, type SdpRule, sdpRule } from "../core/sdp/index.ts";

const maxQuoteChars = 100;

/** A finding with the line it is about, for reading. A blank line goes before it. */
export function formatFinding(finding: SdpFinding, text: string): string {
  const { rule, severity, line, message, mend } = finding;
  const place = line === null ? "whole text" : `line ${line}`;
  const quoted = line === null ? null : quoteLine(text, line);
  return [
    "",
    `${place}: ${severity}: ${message} [${rule}]`,
    ...(quoted === null ? [] : [`  | ${quoted}`]),
    `  why:  ${sdpRule(rule).explanation}`,
    `  mend: ${mend}`,
  ].join("\n");
}

/** The line, without what a terminal would act on and without keys. Null when the text has no such line. */
function quoteLine(text: string, line: number): string | null {
  const found = text.split("\n")[line - 1]?.trimEnd();
  if (found === undefined || found === "") return null;
  const secret = /^a=(?:ice-pwd|crypto):/.exec(found);
  if (secret !== null) return `${secret[0]}(hidden)`;
  const plain = found.slice(0, maxQuoteChars).replace(/[^\x20-\x7e]/g, "?");
  return found.length > maxQuoteChars ? `${plain}…` : plain;
}

export function countFindings(findings: readonly SdpFinding[]): string {
  const errors = findings.filter(({ severity }) => severity === "error").length;
  const warnings = findings.length - errors;
  return `${plural(errors, "error")}, ${plural(warnings, "warning")}`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

export function formatRule(rule: SdpRule): string {
  const { id, severity, appliesTo, title, explanation, mend, source } = rule;
  const scope = appliesTo === "both" ? "offers and answers" : `${appliesTo}s`;
  return [
    `${id} (${severity}, ${scope}): ${title}.`,
    `  why:    ${explanation}`,
    `  mend:   ${mend}`,
    `  source: ${source}`,
  ].join("\n");
}
