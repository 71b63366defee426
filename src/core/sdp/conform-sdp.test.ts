import { expect, test } from "vitest";
import { readSample } from "../../../test/fixtures/sdp/samples.ts";
import { conformSdp } from "./conform-sdp.ts";
import { lintSdp } from "./lint-sdp.ts";

const answer = readSample("meta-doc-uic-answer-by-business");
const offer = readSample("live-uic-offer-by-meta-20261002");
const ownOffer = readSample("meta-doc-bic-offer-by-business");

test("aiortc's answer loses its two fingerprints and nothing else", () => {
  const text = readSample("aiortc-answer");
  const { sdp, changes } = conformSdp(text, { as: "answer", offer });
  expect(sdp).toBe(text.replace(/a=fingerprint:sha-(?:384|512).*\r\n/g, ""));
  expect(changes).toEqual([
    {
      rule: "fingerprint-sha256",
      line: 21,
      action: "dropped",
      message: "The fingerprint that is not sha-256.",
    },
    {
      rule: "fingerprint-sha256",
      line: 22,
      action: "dropped",
      message: "The fingerprint that is not sha-256.",
    },
  ]);
});

test("line ends are made CRLF", () => {
  const { sdp, changes } = conformSdp(answer.replaceAll("\r\n", "\n").trimEnd(), { as: "answer" });
  expect(sdp).toBe(answer);
  expect(changes.map(({ rule }) => rule)).toEqual(["crlf"]);
});

interface Mending {
  readonly what: string;
  readonly given: string;
  readonly mended: string;
  readonly rules: readonly string[];
}

const sessionFingerprint = /a=fingerprint.*\r\n/.exec(answer)?.[0] ?? "";

const mendings: readonly Mending[] = [
  {
    what: "a rejected video section and its place in the group",
    given: `${answer.replace("BUNDLE audio", "BUNDLE audio video")}m=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:video\r\n`,
    mended: answer,
    rules: ["audio-only", "bundle-mid"],
  },
  {
    what: "a number as mid",
    given: answer.replaceAll(/(BUNDLE |mid:)audio/g, "$17"),
    mended: answer,
    rules: ["mid-offered", "bundle-mid"],
  },
  {
    what: "codecs that were not offered",
    given: answer
      .replace("111 126", "111 0 110 126")
      .replace(
        "a=rtpmap:126",
        "a=rtpmap:0 PCMU/8000\r\na=rtpmap:110 telephone-event/48000\r\na=fmtp:110 0-15\r\na=rtpmap:126",
      ),
    mended: answer,
    rules: ["payload-types-offered", "payload-types-offered"],
  },
  {
    what: "actpass in an answer",
    given: answer.replace("setup:active", "setup:actpass"),
    mended: answer,
    rules: ["setup-answer"],
  },
  {
    what: "the profile of old stacks",
    given: answer.replace("UDP/TLS/RTP/SAVPF", "RTP/SAVPF"),
    mended: answer,
    rules: ["audio-profile"],
  },
  {
    what: "a second SSRC with its group",
    given: `${answer}a=ssrc-group:FID 330833028 5\r\na=ssrc:5 cname:x\r\na=ssrc:5 msid:a b\r\n`,
    mended: answer,
    rules: ["single-ssrc", "single-ssrc", "single-ssrc"],
  },
  {
    what: "a fingerprint that stands in both parts",
    given: answer.replace("a=group", `${sessionFingerprint}a=group`),
    mended: answer.replace(sessionFingerprint, "").replace("a=group", `${sessionFingerprint}a=group`),
    rules: ["fingerprint-single"],
  },
  {
    what: "the keys of two kinds",
    given: `${answer}a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abc\r\n`,
    mended: answer,
    rules: ["no-sdes"],
  },
  {
    what: "trickle among other ICE options",
    given: answer.replace("a=fingerprint", "a=ice-options:trickle ice2\r\na=fingerprint"),
    mended: answer.replace("a=fingerprint", "a=ice-options:ice2\r\na=fingerprint"),
    rules: ["no-trickle"],
  },
  {
    what: "trickle after a comma, as libdatachannel writes it",
    given: answer.replace("a=fingerprint", "a=ice-options:ice2,trickle\r\na=fingerprint"),
    mended: answer.replace("a=fingerprint", "a=ice-options:ice2\r\na=fingerprint"),
    rules: ["no-trickle"],
  },
  {
    what: "an ice-lite line in either part",
    given: `${answer.replace("m=audio", "a=ice-lite\r\nm=audio")}a=ice-lite\r\n`,
    mended: answer,
    rules: ["no-ice-lite", "no-ice-lite"],
  },
  {
    what: "missing lines",
    given: answer
      .replace("t=0 0\r\n", "")
      .replace(/c=.*\r\n/, "")
      .replace("a=rtcp-mux\r\n", ""),
    mended: `${answer.replace("a=rtcp-mux\r\n", "")}a=rtcp-mux\r\n`,
    rules: ["session-lines", "connection-line", "rtcp-mux"],
  },
];

test.each(mendings)("$what is mended", ({ given, mended, rules }) => {
  const { sdp, changes } = conformSdp(given, { as: "answer", offer });
  expect(sdp).toBe(mended);
  expect(changes.map(({ rule }) => rule)).toEqual(rules);
  expect(conformSdp(sdp, { as: "answer", offer })).toEqual({ sdp, changes: [] });
});

test("keys at 48000 Hz alone are dropped when the answer has Opus", () => {
  const { sdp } = conformSdp(answer.replace("event/8000", "event/48000"), { as: "answer" });
  expect(sdp).toContain("SAVPF 111\r\n");
  expect(sdp).not.toContain("telephone-event");
});

test("the role of a stack that waits is not mended in the text: the stack would still wait", () => {
  const { sdp, changes } = conformSdp(readSample("pion-answer"), { as: "answer", offer });
  expect(sdp).toContain("a=setup:passive");
  expect(changes).toEqual([]);
  expect(lintSdp(sdp, { as: "answer", offer }).map(({ rule, severity }) => [rule, severity])).toEqual([
    ["setup-passive", "warning"],
  ]);
});

test.each<[rule: string, line: number | null, text: string]>([
  ["audio-present", null, answer.replace("m=audio", "m=video")],
  ["audio-port", 7, answer.replace("m=audio 9", "m=audio 0")],
  ["no-sdes", 14, readSample("meta-doc-sip-bic-sdes-answer-by-meta-202505-masked")],
  ["ice-credentials", 7, answer.replace(/a=ice-pwd.*\r\n/, "")],
  ["fingerprint-present", 7, answer.replace(sessionFingerprint, "")],
  ["fingerprint-sha256", 12, answer.replace("sha-256", "sha-384")],
  ["fingerprint-value", 12, answer.replace(/sha-256 .*/, "sha-256 *****")],
  [
    "fingerprint-single",
    13,
    answer.replace(sessionFingerprint, sessionFingerprint + sessionFingerprint.replace("2E", "2F")),
  ],
  ["opus", 7, answer.replace("opus/48000/2", "ISAC/16000")],
  ["payload-types-offered", 7, answer.replace("SAVPF 111", "SAVPF 96 111").replaceAll(":111 ", ":96 ")],
  ["not-the-offer", 13, offer.replace("actpass", "active")],
])("%s cannot be mended in the text (line %s)", (rule, line, text) => {
  expect(() => conformSdp(text, { as: "answer", offer })).toThrow(
    expect.objectContaining({ code: "SDP_UNUSABLE", details: { rule, line } }),
  );
});

test("sections of an offer are not dropped: its stack waits for an answer to each", () => {
  const text = `${ownOffer}m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n`;
  expect(() => conformSdp(text, { as: "offer" })).toThrow(
    expect.objectContaining({
      code: "SDP_UNUSABLE",
      details: { rule: "audio-only", line: ownOffer.split("\n").length },
    }),
  );
});

test("text that is no SDP is refused as such", () => {
  expect(() => conformSdp("hello", { as: "answer" })).toThrow(
    expect.objectContaining({ code: "SDP_INVALID" }),
  );
});
