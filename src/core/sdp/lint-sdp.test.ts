import fc from "fast-check";
import { expect, test } from "vitest";
import { readSample, sampleNames } from "../../../test/fixtures/sdp/samples.ts";
import { RingbackError } from "../../errors.ts";
import { buildAnswer } from "./build-sdp.ts";
import { conformSdp } from "./conform-sdp.ts";
import { lintSdp } from "./lint-sdp.ts";
import { parseSdp } from "./parse-sdp.ts";
import { readAudioDescription } from "./read-audio-description.ts";
import { SDP_RULES } from "./rules.ts";
import { SDP_LIMITS } from "./sdp-limits.ts";
import type { SdpRole } from "./sdp-rule.ts";
import { serializeSdp } from "./serialize-sdp.ts";

const answer = readSample("meta-doc-uic-answer-by-business");
const offer = readSample("live-uic-offer-by-meta-20261002");
const ownOffer = readSample("meta-doc-bic-offer-by-business").replace("a=ice-options:trickle\r\n", "");

interface Breach {
  readonly rule: string;
  /** How the line of the finding begins (the last such line), or its number. */
  readonly at: string | number | null;
  readonly text: string;
  readonly as?: SdpRole;
  readonly offer?: string;
}

const fingerprintLine = /a=fingerprint.*\r\n/.exec(answer)?.[0] ?? "";
const lineCount = answer.split("\r\n").length - 1;

// Each text breaks one rule; the clean one that it was made from breaks none.
const breaches: readonly Breach[] = [
  { rule: "readable", at: 1, text: "hello" },
  { rule: "crlf", at: 1, text: answer.replaceAll("\r\n", "\n") },
  { rule: "crlf", at: 3, text: answer.replace("s=-\r\n", "s=-\r\r\n") },
  { rule: "crlf", at: lineCount, text: answer.trimEnd() },
  { rule: "crlf", at: lineCount + 1, text: `${answer}\r\n` },
  { rule: "session-lines", at: "o=", text: answer.replace(/o=.*/, "o=me") },
  { rule: "session-lines", at: "s=", text: answer.replace("s=-", "s=") },
  { rule: "session-lines", at: null, text: answer.replace("t=0 0\r\n", "") },
  { rule: "session-lines", at: "t=", text: answer.replace(/(t=0 0\r\n)(a=.*\r\n)/, "$2$1") },
  { rule: "connection-line", at: "m=", text: answer.replace(/c=.*\r\n/, "") },
  { rule: "audio-present", at: null, text: answer.replace("m=audio", "m=video") },
  { rule: "audio-only", at: "m=app", text: `${answer}m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n` },
  { rule: "audio-port", at: "m=", text: answer.replace("m=audio 9", "m=audio 0") },
  { rule: "no-sdes", at: "a=crypto", text: `${answer}a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\r\n` },
  { rule: "audio-profile", at: "m=", text: answer.replace("UDP/TLS/RTP/SAVPF", "RTP/SAVPF") },
  { rule: "rtcp-mux", at: "m=", text: answer.replace("a=rtcp-mux\r\n", "") },
  { rule: "ice-credentials", at: "m=", text: answer.replace(/a=ice-ufrag.*\r\n/, "") },
  { rule: "ice-credentials", at: "a=ice-pwd", text: answer.replace(/a=ice-pwd:.*/, "a=ice-pwd:tooShort") },
  { rule: "fingerprint-present", at: "m=", text: answer.replace(fingerprintLine, "") },
  { rule: "fingerprint-sha256", at: "a=fingerprint", text: answer.replace("sha-256", "sha-512") },
  { rule: "fingerprint-value", at: "a=fingerprint", text: answer.replace(/sha-256 .*/, "sha-256 AB:CD") },
  {
    rule: "fingerprint-single",
    at: "a=fingerprint",
    text: answer.replace(fingerprintLine, fingerprintLine.repeat(2)),
  },
  { rule: "setup-answer", at: "a=setup", text: answer.replace("setup:active", "setup:actpass") },
  { rule: "setup-answer", at: "m=", text: answer.replace("a=setup:active\r\n", "") },
  {
    rule: "setup-answer",
    at: "a=setup",
    text: answer,
    offer: offer.replace("setup:actpass", "setup:active"),
  },
  { rule: "setup-offer", at: "m=", text: ownOffer.replace("a=setup:actpass\r\n", ""), as: "offer" },
  {
    rule: "setup-offer",
    at: "a=setup",
    text: ownOffer.replace("setup:actpass", "setup:holdconn"),
    as: "offer",
  },
  { rule: "setup-passive", at: "a=setup", text: answer.replace("setup:active", "setup:passive") },
  { rule: "opus", at: "m=", text: answer.replace("opus/48000/2", "opus/16000") },
  { rule: "opus", at: "a=rtpmap:111", text: answer.replace("opus/48000/2", "opus/48000") },
  { rule: "telephone-event-clock", at: "a=rtpmap:126", text: answer.replace("event/8000", "event/48000") },
  { rule: "telephone-event-missing", at: "m=", text: answer.replace("SAVPF 111 126", "SAVPF 111") },
  { rule: "single-ssrc", at: "a=ssrc:2 ", text: `${answer}a=ssrc:2 cname:x\r\n` },
  { rule: "ptime", at: "a=ptime", text: `${answer}a=ptime:40\r\n` },
  { rule: "ptime", at: "a=ptime:40", text: `${answer}a=ptime:20\r\na=ptime:40\r\n` },
  { rule: "sendrecv", at: "a=inactive", text: `${answer}a=inactive\r\n` },
  { rule: "sendrecv", at: "a=recvonly", text: answer.replace("a=sendrecv", "a=recvonly") },
  { rule: "no-ice-lite", at: "a=ice-lite", text: answer.replace("m=audio", "a=ice-lite\r\nm=audio") },
  { rule: "no-trickle", at: "a=ice-options", text: `${answer}a=ice-options:ice2 trickle\r\n` },
  { rule: "no-trickle", at: "a=ice-options", text: `${answer}a=ice-options:ice2,trickle\r\n` },
  {
    rule: "candidates-udp",
    at: "a=candidate",
    text: `${answer}a=candidate:1 1 TCP 1 192.0.2.1 9 typ host tcptype active\r\n`,
  },
  {
    rule: "candidates-readable",
    at: "a=candidate",
    text: `${answer}a=candidate:1 1 udp 1 abc.local 9 typ host\r\n`,
  },
  { rule: "bundle-mid", at: "a=group", text: answer.replace("BUNDLE audio", "BUNDLE audio video") },
  { rule: "payload-types-offered", at: "m=", text: answer.replace("111 126", "111 126 0"), offer },
  {
    rule: "payload-types-offered",
    at: "a=rtpmap:111",
    text: answer,
    offer: offer.replace("opus/48000/2", "PCMA/8000"),
  },
  { rule: "mid-offered", at: "a=mid", text: answer.replaceAll(/(BUNDLE |mid:)audio/g, "$10"), offer },
  { rule: "mid-offered", at: "m=", text: answer.replace(/a=(?:mid|group).*\r\n/g, ""), offer },
  {
    rule: "not-the-offer",
    at: "a=ice-ufrag",
    text: offer.replace("a=ice-lite\r\n", "").replace("actpass", "active"),
    offer,
  },
];

test("the texts that the breaches are made from are clean", () => {
  expect(lintSdp(answer, { as: "answer", offer })).toEqual([]);
  expect(lintSdp(ownOffer, { as: "offer" })).toEqual([]);
});

test.each(breaches)("$rule is reported at $at", ({ rule, at, text, as = "answer", offer: offered }) => {
  const findings = lintSdp(text, offered === undefined ? { as } : { as, offer: offered });
  const line =
    typeof at === "string" ? text.split("\r\n").findLastIndex((each) => each.startsWith(at)) + 1 : at;
  expect(findings.map((finding) => [finding.rule, finding.line])).toEqual([[rule, line]]);
});

test("every rule is broken by one text at least", () => {
  expect(new Set(breaches.map(({ rule }) => rule))).toEqual(new Set(SDP_RULES.map(({ id }) => id)));
});

test("upper-case SHA-256, lower-case hex and OPUS are as good", () => {
  const text = answer
    .replace(fingerprintLine, `a=fingerprint:SHA-256 ${fingerprintLine.slice(22).toLowerCase()}`)
    .replace("opus/48000/2", "OPUS/48000/2");
  expect(lintSdp(text, { as: "answer", offer })).toEqual([]);
});

test("passive is right when the offer is active", () => {
  const text = answer.replace("setup:active", "setup:passive");
  expect(lintSdp(text, { as: "answer", offer: offer.replace("setup:actpass", "setup:active") })).toEqual([]);
});

test("findings stand in the order of the lines", () => {
  const text = answer.replace("a=sendrecv", "a=inactive").replace("t=0 0\r\n", "").replace("rtcp-mux", "x");
  const lines = lintSdp(text, { as: "answer" }).map(({ line }) => line);
  expect(lines).toEqual([null, 6, 17]);
});

test.each(["", "hello", "v=0\r\ns=-\r\n"])("an offer that is none (%j) is a wrong option", (wrong) => {
  const expected = expect.objectContaining({ code: "OPTION_INVALID", details: { option: "offer" } });
  expect(() => lintSdp(answer, { as: "answer", offer: wrong })).toThrow(expected);
  expect(() => conformSdp(answer, { as: "answer", offer: wrong })).toThrow(expected);
});

const local = {
  iceUfrag: "Yt4q",
  icePwd: "9p3a03T7mdqbA0379CfDflHi",
  sha256Fingerprint: Array.from({ length: 32 }, () => "AB").join(":"),
  candidates: [],
  ssrc: 323_794_818,
  cname: "ringback",
  sessionId: "4004333231",
};

/** Samples with pieces cut, moved in from other samples, or overwritten. */
const mutated = fc
  .tuple(
    fc.constantFrom(...sampleNames),
    fc.array(
      fc.tuple(
        fc.nat(2_000),
        fc.nat(60),
        fc.oneof(fc.string(), fc.constantFrom("\r\n", "a=", ":", " ", "m=audio ")),
      ),
      {
        maxLength: 6,
      },
    ),
  )
  .map(([name, edits]) =>
    edits.reduce(
      (text, [at, length, piece]) => text.slice(0, at) + piece + text.slice(at + length),
      readSample(name),
    ),
  );

const lineEdit = fc.record({
  how: fc.constantFrom("insert", "drop", "overwrite", "repeat"),
  at: fc.nat(60),
  to: fc.nat(60),
  line: fc.constantFrom(
    ...new Set(sampleNames.flatMap((name) => readSample(name).trimEnd().split("\r\n"))),
    ...["a=mid:", "a=setup:", "a=ptime:40", "a=inactive", "a=ice-lite", "a=ice-options:ice2,trickle"],
    ...[
      "a=group:BUNDLE",
      "a=fingerprint",
      "a=ssrc:5 cname:x",
      "a=ssrc-group:FID 5 6",
      "t=",
      "o=x",
      "c=IN IP4 x",
    ],
    ...["m=audio 0 RTP/AVP 0", "m=video 9 UDP/TLS/RTP/SAVPF 96", "a=rtpmap:126 telephone-event/48000"],
  ),
});

/** Samples with whole lines dropped, doubled, or taken from other samples: what wrong stacks and patched SDP look like. */
const patched = fc
  .tuple(fc.constantFrom(...sampleNames), fc.array(lineEdit, { maxLength: 8 }), fc.constantFrom("\r\n", "\n"))
  .map(([name, edits, lineEnd]) => {
    const lines = readSample(name).trimEnd().split("\r\n");
    for (const { how, at, to, line } of edits) {
      const index = 1 + (at % lines.length);
      if (how === "insert") lines.splice(index, 0, line);
      else if (how === "drop") lines.splice(index, 1);
      else if (how === "overwrite") lines.splice(index, 1, line);
      else lines.splice(1 + (to % lines.length), 0, lines[index] ?? line);
    }
    return lines.join(lineEnd) + lineEnd;
  });

test("no text, arbitrary or mutated, makes anything but findings, good SDP and RingbackErrors", () => {
  const text = fc.oneof(
    { weight: 1, arbitrary: fc.string({ unit: "binary" }) },
    { weight: 3, arbitrary: mutated },
    { weight: 3, arbitrary: patched },
  );
  fc.assert(
    fc.property(text, fc.constantFrom<SdpRole>("answer", "offer"), fc.boolean(), (input, as, isCompared) => {
      const options = { as, ...(isCompared && { offer }) };
      for (const finding of lintSdp(input, options)) expect(finding.message).not.toBe("");
      expectOnlyRingbackErrors(() => readAudioDescription(input, { as }));
      expectOnlyRingbackErrors(() => {
        const { sdp, changes } = conformSdp(input, options);
        expect(lintSdp(sdp, options).filter(({ severity }) => severity === "error")).toEqual([]);
        expect(conformSdp(sdp, options)).toEqual({ sdp, changes: [] });
        if (changes.length === 0) expect(sdp).toBe(serializeSdp(parseSdp(input)));
        readAudioDescription(sdp, { as });
      });
      expectOnlyRingbackErrors(() => {
        const described = readAudioDescription(input, { as: "offer" });
        const setup = described.setup === "active" ? "passive" : "active";
        const built = buildAnswer(described, { ...local, setup });
        expect(lintSdp(built, { as: "answer", offer: input })).toEqual([]);
      });
    }),
    { numRuns: 1_000 },
  );
});

function expectOnlyRingbackErrors(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof RingbackError)) throw error;
    expect(error.code).toMatch(/^SDP_(?:INVALID|UNUSABLE)$/);
  }
}

const head = answer;
const full = (line: string) =>
  head + line.repeat(Math.floor((SDP_LIMITS.textChars - head.length) / line.length));

test.each([
  ["one endless line", "v=0\r\n".padEnd(SDP_LIMITS.textChars, "a")],
  ["line ends alone", "v=0".padEnd(SDP_LIMITS.textChars, "\n")],
  ["carriage returns alone", "v=0".padEnd(SDP_LIMITS.textChars, "\r")],
  ["spaces in every field", full(`a=rtpmap:111${" ".repeat(4_000)}x\r\n`)],
  ["digits in every field", full(`a=rtpmap:${"1".repeat(4_000)}\r\n`)],
  ["fmtp without end", full(`a=fmtp:111 ${" x".repeat(2_000)}\r\n`)],
  ["fingerprints without end", full(`a=fingerprint:sha-256 ${"AB:".repeat(1_300)}\r\n`)],
  ["candidates without end", full(`a=candidate:1 1 udp 1 ${"1:".repeat(2_000)} 9 typ host\r\n`)],
  ["addresses of colons", full(`a=candidate:1 1 udp 1 ${":".repeat(4_000)} 9 typ host\r\n`)],
  ["groups without end", full(`a=group:BUNDLE ${" 1".repeat(2_000)}\r\n`)],
  [
    "SSRCs without end",
    full("a=ssrc:1234567890 cname:some-cname-or-other-that-makes-it-long-enough-for-it\r\n"),
  ],
  ["an origin of spaces", head.replace(/o=.*/, `o=${"- ".repeat(2_000)}`)],
  ["payload types without end", head.replace("111 126", `111 126${" 126".repeat(1_000)}`)],
])("64 KiB of %s are judged at once", (_what, text) => {
  const run = () => lintSdp(text, { as: "answer", offer: text.length > 20_000 ? offer : text });
  run();
  const startMs = performance.now();
  run();
  // Some milliseconds; the bound is wide for busy machines, and what backtracks would still take longer.
  expect(performance.now() - startMs).toBeLessThan(500);
});
