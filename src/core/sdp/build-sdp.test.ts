import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readSample, roleOf, sampleNames } from "../../../test/fixtures/sdp/samples.ts";
import { buildAnswer, buildOffer } from "./build-sdp.ts";
import { conformSdp } from "./conform-sdp.ts";
import { lintSdp } from "./lint-sdp.ts";
import type { AudioDescription, DtlsSetup, IceCandidate, LocalAudio } from "./model.ts";
import { readAudioDescription } from "./read-audio-description.ts";

const local: LocalAudio = {
  iceUfrag: "Yt4q",
  icePwd: "9p3a03T7mdqbA0379CfDflHi",
  sha256Fingerprint: Array.from({ length: 32 }, () => "ab").join(":"),
  setup: "active",
  candidates: [],
  ssrc: 323_794_818,
  cname: "ringback",
  sessionId: "4004333231",
};
const host: IceCandidate = {
  foundation: "1",
  componentId: 1,
  transport: "udp",
  priority: 2_130_706_431,
  address: "192.0.2.7",
  port: 40_000,
  type: "host",
};
const dtlsOffers = sampleNames.filter((name) => roleOf(name) === "offer" && !name.includes("sdes"));
const offerText = readSample("live-uic-offer-by-meta-20261002");
const offer = readAudioDescription(offerText, { as: "offer" });

test("the answer to WhatsApp's present offer, whole", () => {
  expect(buildAnswer(offer, { ...local, candidates: [host] }).split("\r\n")).toEqual([
    "v=0",
    "o=- 4004333231 1 IN IP4 0.0.0.0",
    "s=-",
    "t=0 0",
    "a=group:BUNDLE audio",
    "a=msid-semantic: WMS ringback",
    "m=audio 40000 UDP/TLS/RTP/SAVPF 111 126",
    "c=IN IP4 192.0.2.7",
    "a=rtcp:9 IN IP4 0.0.0.0",
    "a=candidate:1 1 udp 2130706431 192.0.2.7 40000 typ host",
    "a=end-of-candidates",
    "a=ice-ufrag:Yt4q",
    "a=ice-pwd:9p3a03T7mdqbA0379CfDflHi",
    `a=fingerprint:sha-256 ${local.sha256Fingerprint.toUpperCase()}`,
    "a=setup:active",
    "a=mid:audio",
    "a=sendrecv",
    "a=msid:ringback audio",
    "a=rtcp-mux",
    "a=rtpmap:111 opus/48000/2",
    "a=fmtp:111 maxaveragebitrate=24000;minptime=20;useinbandfec=1",
    "a=rtpmap:126 telephone-event/8000",
    "a=fmtp:126 0-15",
    "a=ptime:20",
    "a=maxptime:20",
    "a=ssrc:323794818 cname:ringback",
    "",
  ]);
});

test("without candidates the section has port 9 and no address", () => {
  const lines = buildAnswer(offer, local).split("\r\n");
  expect(lines).toContain("m=audio 9 UDP/TLS/RTP/SAVPF 111 126");
  expect(lines).toContain("c=IN IP4 0.0.0.0");
});

test("the default address is the reflexive one before the host's, IPv4 before IPv6", () => {
  const v6 = { ...host, address: "2001:db8::7", port: 40_001 };
  const reflexive: IceCandidate = { ...host, type: "srflx", address: "203.0.113.10", port: 7_371 };
  const answer = (candidates: readonly IceCandidate[]) => buildAnswer(offer, { ...local, candidates });
  expect(answer([v6, host])).toContain("m=audio 40000 UDP/TLS/RTP/SAVPF 111 126\r\nc=IN IP4 192.0.2.7\r\n");
  expect(answer([v6])).toContain("m=audio 40001 UDP/TLS/RTP/SAVPF 111 126\r\nc=IN IP6 2001:db8::7\r\n");
  expect(answer([host, reflexive])).toContain(
    "m=audio 7371 UDP/TLS/RTP/SAVPF 111 126\r\nc=IN IP4 203.0.113.10\r\n",
  );
});

test("payload types and mid are the offer's; keys are answered only when offered", () => {
  const described: AudioDescription = {
    ...offer,
    mid: "0",
    opus: { payloadType: 107, parameters: "" },
    telephoneEvent: null,
  };
  const read = readAudioDescription(buildAnswer(described, local), { as: "answer" });
  expect(read).toMatchObject({ mid: "0", opus: { payloadType: 107 }, telephoneEvent: null });
});

test("an offer without mid gets an answer without mid and group", () => {
  const answer = buildAnswer({ ...offer, mid: "" }, local);
  expect(answer).not.toMatch(/mid:|BUNDLE/);
  expect(lintSdp(answer, { as: "answer" })).toEqual([]);
});

test.each([
  ["without a group", offerText.replace(/a=group.*\r\n/, "")],
  ["with a group of another section", offerText.replace("BUNDLE audio", "BUNDLE video")],
])("an offer %s gets an answer without a group, with its mid", (_what, text) => {
  const answer = buildAnswer(readAudioDescription(text, { as: "offer" }), local);
  expect(answer).not.toContain("a=group");
  expect(answer).toContain("a=mid:audio\r\n");
  expect(lintSdp(answer, { as: "answer", offer: text })).toEqual([]);
});

test.each<[offered: DtlsSetup, answered: DtlsSetup, isRight: boolean]>([
  ["actpass", "active", true],
  ["actpass", "passive", false],
  ["actpass", "actpass", false],
  ["passive", "active", true],
  ["passive", "passive", false],
  ["active", "passive", true],
  ["active", "active", false],
  ["active", "actpass", false],
])("an offer of %s answered with %s is possible: %s", (offered, answered, isRight) => {
  const build = () => buildAnswer({ ...offer, setup: offered }, { ...local, setup: answered });
  if (isRight) {
    const text = offerText.replace("setup:actpass", `setup:${offered}`);
    expect(lintSdp(build(), { as: "answer", offer: text })).toEqual([]);
  } else {
    expect(build).toThrow(expect.objectContaining({ code: "OPTION_INVALID", details: { option: "setup" } }));
  }
});

test("an offer says actpass and nothing else", () => {
  expect(lintSdp(buildOffer({ ...local, setup: "actpass" }), { as: "offer" })).toEqual([]);
  for (const setup of ["active", "passive"] as const) {
    expect(() => buildOffer({ ...local, setup })).toThrow(
      expect.objectContaining({ details: { option: "setup" } }),
    );
  }
});

test("an offer takes other payload types and another mid", () => {
  const options = { mid: "0", opusPayloadType: 96, telephoneEventPayloadType: 97 };
  const read = readAudioDescription(buildOffer({ ...local, setup: "actpass" }, options), { as: "offer" });
  expect(read).toMatchObject({ mid: "0", opus: { payloadType: 96 }, telephoneEvent: { payloadType: 97 } });
});

const faults: readonly (readonly [option: string, change: Partial<LocalAudio>])[] = [
  ["iceUfrag", { iceUfrag: "abc" }],
  ["iceUfrag", { iceUfrag: "abcd\r\na=x" }],
  ["icePwd", { icePwd: "short" }],
  ["icePwd", { icePwd: "9p3a03T7mdqbA0379CfDfl==" }],
  ["sha256Fingerprint", { sha256Fingerprint: "AB:CD" }],
  ["ssrc", { ssrc: -1 }],
  ["ssrc", { ssrc: 2 ** 32 }],
  ["ssrc", { ssrc: Number.NaN }],
  ["cname", { cname: "two words" }],
  ["cname", { cname: "x\n" }],
  ["cname", { cname: "" }],
  ["sessionId", { sessionId: "12 3" }],
  ["sessionId", { sessionId: "" }],
  ["candidates", { candidates: [{ ...host, transport: "tcp" }] }],
  ["candidates", { candidates: [{ ...host, address: "a.local" }] }],
  ["candidates", { candidates: [{ ...host, foundation: "1 1" }] }],
  ["candidates", { candidates: [{ ...host, port: 0 }] }],
  ["candidates", { candidates: Array.from({ length: 33 }, () => host) }],
];

test.each(faults)("a wrong %s is refused", (option, change) => {
  const expected = expect.objectContaining({ code: "OPTION_INVALID", details: { option } });
  expect(() => buildAnswer(offer, { ...local, ...change })).toThrow(expected);
  expect(() => buildOffer({ ...local, ...change, setup: "actpass" })).toThrow(expected);
});

test("the message about a wrong password does not tell it", () => {
  const build = () => buildAnswer(offer, { ...local, icePwd: "my secret password" });
  expect(build).toThrow(expect.objectContaining({ message: expect.not.stringContaining("secret") }));
});

test.each<[string, AudioDescription]>([
  ["a mid with a line end", { ...offer, mid: "x\r\na=y" }],
  ["a payload type of 128", { ...offer, opus: { payloadType: 128, parameters: "" } }],
  ["one payload type for both", { ...offer, telephoneEvent: { payloadType: offer.opus.payloadType } }],
])("an offer with %s is refused", (_what, description) => {
  expect(() => buildAnswer(description, local)).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
});

const iceText = (least: number) => fc.stringMatching(new RegExp(`^[A-Za-z0-9+/]{${least},40}$`));
const candidate: fc.Arbitrary<IceCandidate> = fc.record({
  foundation: iceText(1).map((text) => text.slice(0, 32)),
  componentId: fc.constant(1),
  transport: fc.constant("udp" as const),
  priority: fc.integer({ min: 1, max: 0x7fffffff }),
  address: fc.oneof(fc.ipV4(), fc.ipV6()),
  port: fc.integer({ min: 1, max: 65_535 }),
  type: fc.constantFrom("host", "srflx", "prflx", "relay"),
});
const localAudio: fc.Arbitrary<LocalAudio> = fc.record({
  iceUfrag: iceText(4),
  icePwd: iceText(22),
  sha256Fingerprint: fc
    .uint8Array({ minLength: 32, maxLength: 32 })
    .map((bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(":")),
  setup: fc.constant("active" as const),
  candidates: fc.array(candidate, { maxLength: 32 }),
  ssrc: fc.nat(0xffffffff),
  cname: fc.stringMatching(/^[A-Za-z0-9@._+/-]{1,64}$/),
  sessionId: fc.stringMatching(/^[1-9][0-9]{0,18}$/),
});

/** Meta's SIP page hides the secrets of its sample; a real offer of that form has them. */
function withSecrets(text: string): string {
  return text
    .replace(/^a=ice-pwd:\*+/m, "a=ice-pwd:+219v9nKr3xSQIn8s+Fy8g==")
    .replace(/^a=fingerprint:\*+/m, `a=fingerprint:sha-256 ${Array(32).fill("AB").join(":")}`);
}

describe.each(dtlsOffers)("an answer to %s", (name) => {
  const text = withSecrets(readSample(name));
  const described = readAudioDescription(text, { as: "offer" });

  test("breaks no rule, says what our side is, and needs no mending, whatever our side is", () => {
    fc.assert(
      fc.property(localAudio, (ours) => {
        const answer = buildAnswer(described, ours);
        expect(lintSdp(answer, { as: "answer", offer: text })).toEqual([]);
        expect(conformSdp(answer, { as: "answer", offer: text })).toEqual({ sdp: answer, changes: [] });
        expect(readAudioDescription(answer, { as: "answer" })).toMatchObject({
          mid: described.mid,
          iceUfrag: ours.iceUfrag,
          icePwd: ours.icePwd,
          iceLite: false,
          fingerprints: [{ algorithm: "sha-256", value: ours.sha256Fingerprint.toUpperCase() }],
          setup: "active",
          candidates: ours.candidates,
          telephoneEvent: described.telephoneEvent,
          ssrc: ours.ssrc,
        });
      }),
    );
  });
});

test("an offer breaks no rule whatever our side is", () => {
  fc.assert(
    fc.property(localAudio, (ours) => {
      const built = buildOffer({ ...ours, setup: "actpass" });
      expect(lintSdp(built, { as: "offer" })).toEqual([]);
      expect(readAudioDescription(built, { as: "offer" })).toMatchObject({ candidates: ours.candidates });
    }),
  );
});
