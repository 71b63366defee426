import { describe, expect, test } from "vitest";
import { readSample, roleOf, sampleNames } from "../../../test/fixtures/sdp/samples.ts";
import { RingbackError } from "../../errors.ts";
import { conformSdp } from "./conform-sdp.ts";
import { type LintOptions, lintSdp } from "./lint-sdp.ts";
import { readAudioDescription } from "./read-audio-description.ts";
import { sdpRule } from "./rules.ts";

interface Verdict {
  /** Rules that are broken, each once, in the order of the lines. */
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  /** Rule that no edit of the text can mend. */
  readonly unmendable?: string;
}

const clean: Verdict = { errors: [], warnings: [] };
const byMeta: Verdict = { errors: [], warnings: ["no-ice-lite"] };
const withoutKeys: Verdict = { errors: [], warnings: ["telephone-event-missing"] };
const threeFingerprints: Verdict = { errors: ["fingerprint-sha256"], warnings: ["telephone-event-missing"] };
const sdes: Verdict = { errors: ["no-sdes"], warnings: [], unmendable: "no-sdes" };

const verdicts: Readonly<Record<string, Verdict>> = {
  "aiortc-answer": threeFingerprints,
  "aiortc-answer-fixed": withoutKeys,
  "aiortc-answer-unfixed-3fp": threeFingerprints,
  "chromium-answer": { errors: [], warnings: ["no-trickle"] },
  "chromium-answer-to-chromium": { errors: ["sendrecv"], warnings: ["no-trickle"] },
  "chromium-offer": { errors: [], warnings: ["no-trickle"] },
  "gstreamer-answer": { errors: [], warnings: ["telephone-event-missing", "candidates-udp"] },
  "live-uic-answer-by-business-aiortc-20251017-accepted": withoutKeys,
  "live-uic-answer-by-business-aiortc-20251023-accepted-icelite": {
    errors: [],
    warnings: ["no-ice-lite", "telephone-event-missing"],
  },
  "live-uic-offer-by-meta-20251017": byMeta,
  "live-uic-offer-by-meta-20261002": byMeta,
  "live-uic-offer-by-meta-old-stack-40013": byMeta,
  "meta-doc-bic-answer-by-meta": { errors: [], warnings: ["no-ice-lite", "no-trickle"] },
  "meta-doc-bic-answer-by-meta-webhook-20240824": { errors: [], warnings: ["no-ice-lite", "no-trickle"] },
  "meta-doc-bic-offer-by-business": { errors: [], warnings: ["no-trickle"] },
  "meta-doc-curl-accept-by-business": { errors: [], warnings: ["no-trickle"] },
  "meta-doc-sip-bic-sdes-answer-by-meta-202505-masked": sdes,
  "meta-doc-sip-bic-sdes-offer-by-business-masked": { ...sdes, errors: ["rtcp-mux", "no-sdes"] },
  "meta-doc-sip-uic-dtls-offer-by-meta-202503-masked": {
    errors: ["ice-credentials", "fingerprint-sha256"],
    warnings: ["no-ice-lite"],
    unmendable: "ice-credentials",
  },
  "meta-doc-sip-uic-sdes-offer-by-meta-202505-masked": sdes,
  "meta-doc-uic-answer-by-business": clean,
  "node-datachannel-answer": { errors: [], warnings: ["no-trickle", "telephone-event-missing"] },
  "pion-answer": { errors: [], warnings: ["setup-passive"] },
  "pion-answer-active": clean,
  "werift-answer": { errors: [], warnings: ["no-trickle"] },
};

test("every sample has a verdict", () => {
  expect(Object.keys(verdicts).sort()).toEqual(sampleNames);
});

describe.each(Object.entries(verdicts))("%s", (name, { errors, warnings, unmendable }) => {
  const text = readSample(name);
  const options: LintOptions = { as: roleOf(name) };

  test("breaks the rules that are known of it", () => {
    const findings = lintSdp(text, options);
    const broken = (severity: string) => [
      ...new Set(findings.filter((finding) => finding.severity === severity).map(({ rule }) => rule)),
    ];
    expect(broken("error")).toEqual(errors);
    expect(broken("warning")).toEqual(warnings);
  });

  test(
    unmendable === undefined ? "passes once conformed, and changes no more" : "is refused with the rule",
    () => {
      if (unmendable !== undefined) {
        expect(() => conformSdp(text, options)).toThrow(RingbackError);
        expect(() => conformSdp(text, options)).toThrow(
          expect.objectContaining({
            code: "SDP_UNUSABLE",
            details: expect.objectContaining({ rule: unmendable }),
          }),
        );
        return;
      }
      const { sdp } = conformSdp(text, options);
      expect(lintSdp(sdp, options).filter(({ severity }) => severity === "error")).toEqual([]);
      expect(conformSdp(sdp, options)).toEqual({ sdp, changes: [] });
      const before = readAudioDescription(text, options);
      const after = readAudioDescription(sdp, options);
      expect(after).toMatchObject({ iceUfrag: before.iceUfrag, icePwd: before.icePwd, ssrc: before.ssrc });
      expect(after.candidates).toEqual(before.candidates);
      expect(after.fingerprints).toEqual(
        before.fingerprints.filter(({ algorithm }) => algorithm === "sha-256"),
      );
      expect(after.setup).toBe(before.setup);
    },
  );
});

test("aiortc's three fingerprints are refused in Meta's own words", () => {
  const findings = lintSdp(readSample("aiortc-answer-unfixed-3fp"), {
    as: "answer",
    offer: readSample("live-uic-offer-by-meta-20261002"),
  }).filter(({ severity }) => severity === "error");
  expect(findings.map(({ rule, line }) => [rule, line])).toEqual([
    ["fingerprint-sha256", 21],
    ["fingerprint-sha256", 22],
  ]);
  expect(sdpRule("fingerprint-sha256")).toMatchObject({ metaDetails: "Fingerprint algo is not SHA256" });
});

const pairs: readonly (readonly [answer: string, offer: string])[] = [
  ["aiortc-answer-fixed", "live-uic-offer-by-meta-20261002"],
  ["chromium-answer", "live-uic-offer-by-meta-20261002"],
  ["gstreamer-answer", "live-uic-offer-by-meta-20261002"],
  ["node-datachannel-answer", "live-uic-offer-by-meta-20261002"],
  ["pion-answer-active", "live-uic-offer-by-meta-20261002"],
  ["werift-answer", "live-uic-offer-by-meta-20261002"],
  ["meta-doc-uic-answer-by-business", "live-uic-offer-by-meta-old-stack-40013"],
  ["live-uic-answer-by-business-aiortc-20251017-accepted", "live-uic-offer-by-meta-20251017"],
  ["meta-doc-bic-answer-by-meta", "meta-doc-bic-offer-by-business"],
];

test.each(pairs)("%s breaks no rule as answer to %s", (answer, offer) => {
  const findings = lintSdp(readSample(answer), { as: "answer", offer: readSample(offer) });
  expect(findings.filter(({ severity }) => severity === "error")).toEqual([]);
});
