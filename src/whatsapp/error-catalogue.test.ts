import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { RingbackError } from "../errors.ts";
import { explainCode, isAlreadyAccepted, isAlreadyEnded } from "./error-catalogue.ts";
import { ERROR_CODES } from "./error-code.ts";

function refusal(graphCode: number | null, graphDetails: string | null): RingbackError {
  return new RingbackError("GRAPH_REQUEST_FAILED", "refused", {
    details: {
      status: 400,
      graphCode,
      graphSubcode: null,
      graphDetails,
      traceId: null,
      meaning: "",
      nextStep: "",
    },
  });
}

describe("explainCode", () => {
  test("knows the codes of webhooks and of the Graph API", () => {
    expect(explainCode(138021)).toMatchObject({
      where: "webhook",
      meaning: expect.stringContaining("no media"),
    });
    expect(explainCode(138006)).toMatchObject({ where: "graph", retryable: false });
    expect(explainCode(131044)).toMatchObject({ where: "both" });
  });

  test.each([
    "Fingerprint algo is not SHA256",
    "No fingerprint found in SDP",
    "SDP answer differs from pre_accept",
  ])("points to the SDP check for code 100 with %j", (details) => {
    expect(explainCode(100, details).nextStep).toContain("npx ringback sdp check");
  });

  test.each(["Call is not ringing", "Voice calls are not on offer", null, undefined])(
    "does not blame the SDP for code 100 with %j",
    (details) => {
      expect(explainCode(100, details).nextStep).not.toContain("sdp check");
    },
  );

  test("explains an object that does not exist", () => {
    expect(explainCode(100, null, 33).nextStep).toContain("WHATSAPP_PHONE_NUMBER_ID");
  });

  test("repeats no request for a missing capability, which Graph reports as an error of its own", () => {
    expect(explainCode(3)).toMatchObject({ retryable: false });
    expect(explainCode(131016)).toMatchObject({ retryable: true });
  });

  test("does not blame a message button for a wrong parameter of a call", () => {
    expect(explainCode(131009).name).toBe("Parameter value not valid");
  });

  test.each([[null], [999_999], [-1], [Number.NaN]])("says that it does not know %s", (code) => {
    expect(explainCode(code)).toMatchObject({ name: "Unknown code" });
  });
});

describe("texts of Meta's about the state of a call", () => {
  test.each<[string, boolean, boolean]>([
    ["Call is already terminated", true, false],
    ["User already terminated the call", true, false],
    ["The call has already been completed", true, false],
    ["Call is no longer active", true, false],
    ["Reject is already in progress", true, false],
    ["The call has ended", true, false],
    ["Call was terminated by the user", true, false],
    ["Cannot terminate a completed call", true, false],
    ["Call is already in a terminated state", true, false],
    ["The call is in progress", false, true],
    ["Cannot accept an in-progress call", false, true],
    ["Call is not terminated", false, false],
    ["Call is already accepted", false, true],
    ["Call is already pre_accepted", false, true],
    ["Call is not ringing", false, false],
    ["Unknown call id", false, false],
    ["SDP answer differs from pre_accept", false, false],
  ])("%s", (details, isEnded, isAccepted) => {
    for (const code of [100, 138_999]) {
      expect(isAlreadyEnded(refusal(code, details))).toBe(isEnded);
      expect(isAlreadyAccepted(refusal(code, details))).toBe(isAccepted);
    }
  });

  test("count only in errors about calls", () => {
    expect(isAlreadyEnded(refusal(190, "already terminated"))).toBe(false);
    expect(isAlreadyEnded(refusal(null, "already terminated"))).toBe(false);
    expect(isAlreadyEnded(refusal(100, null))).toBe(false);
    expect(isAlreadyEnded(new Error("already terminated"))).toBe(false);
  });
});

test("docs/whatsapp.md has a row for each code, in their order and in their words, and no other", () => {
  const docs = readFileSync(new URL("../../docs/whatsapp.md", import.meta.url), "utf8");
  const listed = [...docs.matchAll(/^\| \d+ \|.*$/gm)].map(([row]) => row);
  const known = [...ERROR_CODES]
    .toSorted(([a], [b]) => a - b)
    .map(([code, { name, where, meaning, nextStep }]) => {
      return `| ${code} | ${name} | ${where} | ${meaning} | ${nextStep} |`;
    });
  expect(listed).toEqual(known);
});
