import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { menders } from "./menders.ts";
import { SDP_RULES, sdpRule } from "./rules.ts";
import type { SdpRule } from "./sdp-rule.ts";

/** A row of the table in docs/sdp.md. */
function toRow({ id, severity, appliesTo, title, explanation, mend, source }: SdpRule): string {
  const scope = appliesTo === "both" ? "both" : `${appliesTo}s`;
  const fix = menders[id] === undefined && id !== "crlf" ? "in the stack" : "`sdp fix`";
  return `| \`${id}\` | ${severity} | ${scope} | **${title}.** ${explanation} | ${mend} (${fix}) | ${source} |`;
}

test("docs/sdp.md has a row for each rule, in their order and in their words, and no other", () => {
  const docs = readFileSync(new URL("../../../docs/sdp.md", import.meta.url), "utf8");
  const [, table = ""] = docs.split(/<!-- \/?rules -->/);
  const head = ["| rule | severity | for | why | what to do | source |", "|---|---|---|---|---|---|"];
  expect(table.trim().split("\n")).toEqual([...head, ...SDP_RULES.map(toRow)]);
});

test("ids are unique and in kebab case, and find their rule", () => {
  const ids = SDP_RULES.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const rule of SDP_RULES) {
    expect(rule.id).toMatch(/^[a-z0-9]+(?:-[a-z0-9]+)*$/);
    expect(sdpRule(rule.id)).toBe(rule);
  }
});

test("what Meta writes is given for errors alone, and is marked where it is a guess", () => {
  const observed = SDP_RULES.filter(
    ({ metaDetails, assumed }) => metaDetails !== undefined && assumed !== true,
  );
  expect(observed.map(({ id, metaDetails }) => [id, metaDetails])).toEqual([
    ["fingerprint-present", "No fingerprint found in SDP"],
    ["fingerprint-sha256", "Fingerprint algo is not SHA256"],
  ]);
  for (const { severity, metaDetails } of SDP_RULES)
    expect(metaDetails !== undefined).toBe(severity === "error");
});

test("every rule says where it comes from", () => {
  for (const { source } of SDP_RULES) expect(source).toMatch(/RFC \d{4}|read 2026-11-22|Graph API/);
});
