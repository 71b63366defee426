import { expect, test } from "vitest";
import { readSample, roleOf, sampleNames } from "../../../test/fixtures/sdp/samples.ts";
import { RingbackError } from "../../errors.ts";
import type { AudioDescription } from "./model.ts";
import { readAudioDescription } from "./read-audio-description.ts";

const offer = readSample("live-uic-offer-by-meta-20261002");

function readOffer(text: string): AudioDescription {
  return readAudioDescription(text, { as: "offer" });
}

test("WhatsApp's present offer is read whole", () => {
  expect(readOffer(offer)).toEqual({
    mid: "audio",
    isBundled: true,
    iceUfrag: "NvPeRHRlBReaRYCZ",
    icePwd: "+219v9nKr3xSQIn8s+Fy8g==",
    iceLite: true,
    fingerprints: [
      {
        algorithm: "sha-256",
        value:
          "75:85:02:48:2F:A1:97:65:81:65:4C:B3:2D:13:72:84:8F:D4:BE:31:6E:A0:71:34:52:C3:7A:28:76:43:C6:71",
      },
    ],
    setup: "actpass",
    candidates: [
      {
        foundation: "2275956755",
        componentId: 1,
        transport: "udp",
        priority: 2_122_260_223,
        address: "57.144.43.49",
        port: 3_480,
        type: "host",
      },
      {
        foundation: "2684782176",
        componentId: 1,
        transport: "udp",
        priority: 2_122_262_783,
        address: "2a03:2880:f312:131:face:b00c:0:699c",
        port: 3_480,
        type: "host",
      },
    ],
    opus: {
      payloadType: 111,
      parameters:
        "maxaveragebitrate=20000;maxplaybackrate=16000;minptime=20;sprop-maxcapturerate=16000;useinbandfec=1",
    },
    telephoneEvent: { payloadType: 126 },
    ssrc: 613_016_344,
  });
});

test.each(sampleNames.filter((name) => !name.includes("masked")))("%s can be called with", (name) => {
  const read = readAudioDescription(readSample(name), { as: roleOf(name) });
  expect(read.opus.payloadType).toBe(111);
  expect(read.fingerprints.some(({ algorithm }) => algorithm === "sha-256")).toBe(true);
});

test("transport values of the session part hold for the audio section", () => {
  const values = /^a=(?:ice-ufrag|ice-pwd|fingerprint|setup):.*\r\n/gm;
  const moved = (offer.match(values) ?? []).join("");
  const text = offer.replace(values, "").replace("m=audio", `${moved}m=audio`);
  expect(readOffer(text)).toEqual(readOffer(offer));
});

test("several fingerprints are kept, lower-case hex is read, garbage is left out", () => {
  const [line = ""] = /^a=fingerprint:.*\r\n/m.exec(offer) ?? [];
  const text = offer.replace(
    line,
    `a=fingerprint:sha-1 AB:CD\r\n${line.toLowerCase()}a=fingerprint:sha-512 xyz\r\n`,
  );
  expect(readOffer(text).fingerprints).toEqual([
    { algorithm: "sha-1", value: "AB:CD" },
    ...readOffer(offer).fingerprints,
  ]);
});

test("TCP, named, malformed and surplus candidates are left out", () => {
  const [line = ""] = /^a=candidate:.*\r\n/m.exec(offer) ?? [];
  const useless = [
    line.replace(" udp ", " tcp "),
    line.replace("57.144.43.49", "a.local"),
    "a=candidate:1\r\n",
  ];
  expect(readOffer(offer.replace(line, line + useless.join(""))).candidates).toHaveLength(2);
  expect(readOffer(offer.replace(line, line.repeat(100))).candidates).toHaveLength(32);
});

test("keys at 48000 Hz are not taken for keys at 8000 Hz", () => {
  expect(readOffer(readSample("chromium-offer")).telephoneEvent).toEqual({ payloadType: 126 });
  expect(readOffer(offer.replace("telephone-event/8000", "telephone-event/48000")).telephoneEvent).toBeNull();
});

test("an offer without mid, candidates and ssrc is enough for a call", () => {
  const text = offer.replace(/^a=(?:mid|candidate|ssrc|group|ptime|maxptime|msid).*\r\n/gm, "");
  expect(readOffer(text)).toMatchObject({ mid: "", candidates: [], ssrc: null });
});

const unusable: readonly (readonly [rule: string, line: number | null, text: string])[] = [
  ["audio-present", null, offer.replace("m=audio", "m=video")],
  ["audio-present", null, offer.slice(0, offer.indexOf("m=audio"))],
  ["audio-port", 8, offer.replace("m=audio 3480", "m=audio 0")],
  ["no-sdes", 7, readSample("meta-doc-sip-uic-sdes-offer-by-meta-202505-masked")],
  ["audio-profile", 8, offer.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP")],
  ["rtcp-mux", 8, offer.replace("a=rtcp-mux\r\n", "")],
  ["ice-credentials", 8, offer.replace(/a=ice-ufrag.*\r\n/, "")],
  ["ice-credentials", 14, offer.replace(/a=ice-pwd:.*/, "a=ice-pwd:************************")],
  ["fingerprint-present", 8, offer.replace(/a=fingerprint.*\r\n/, "")],
  ["fingerprint-sha256", 15, offer.replace("sha-256", "sha-384")],
  ["fingerprint-value", 15, offer.replace(/a=fingerprint:.*/, "a=fingerprint:******")],
  ["fingerprint-value", 15, offer.replace(/a=fingerprint:.*/, "a=fingerprint:sha-256 75:85")],
  ["setup-offer", 8, offer.replace("a=setup:actpass\r\n", "")],
  ["setup-offer", 16, offer.replace("a=setup:actpass", "a=setup:holdconn")],
  ["opus", 8, offer.replace("opus/48000/2", "PCMU/8000")],
  ["opus", 8, offer.replace("SAVPF 111 126", "SAVPF 126")],
];

test.each(unusable)("an offer that breaks %s makes no call (line %s)", (rule, line, text) => {
  expect(() => readOffer(text)).toThrow(
    expect.objectContaining({ code: "SDP_UNUSABLE", details: { rule, line } }),
  );
});

test("SDES is answered with the setting that ends it", () => {
  const text = readSample("meta-doc-sip-bic-sdes-answer-by-meta-202505-masked");
  expect(() => readAudioDescription(text, { as: "answer" })).toThrow(
    "set srtp_key_exchange_protocol to DTLS",
  );
});

test("an answer must have chosen its DTLS role", () => {
  expect(() => readAudioDescription(offer, { as: "answer" })).toThrow(
    expect.objectContaining({ code: "SDP_UNUSABLE", details: { rule: "setup-answer", line: 16 } }),
  );
});

const damages: readonly (readonly [string, (line: string) => string | null])[] = [
  ["removed", () => null],
  ["emptied", () => ""],
  ["cut in half", (line) => line.slice(0, line.length / 2)],
  ["without its value", (line) => line.slice(0, 2)],
  ["cut at the colon", (line) => line.split(":")[0] ?? ""],
  ["doubled", (line) => `${line}\r\n${line}`],
  ["with its numbers raised", (line) => line.replace(/\d+/g, "99999999999999999999")],
  ["with spaces for its separators", (line) => line.replace(/[:/]/g, " ")],
  ["replaced by garbage", () => "a=\u{1F4DE}:\u0001\uD800;=;"],
];

test.each(sampleNames.filter((name) => name.startsWith("live-")))(
  "%s with any line damaged is read or refused with a reason",
  (name) => {
    const lines = readSample(name).trimEnd().split("\r\n");
    for (const [, damage] of damages) {
      for (const [index, line] of lines.entries()) {
        const damaged = damage(line);
        const text = [
          ...lines.slice(0, index),
          ...(damaged === null ? [] : [damaged]),
          ...lines.slice(index + 1),
        ];
        expectReadOrRefused(`${text.join("\r\n")}\r\n`);
      }
    }
  },
);

test.each(sampleNames.filter((name) => name.startsWith("live-")))(
  "every prefix of %s is read or refused",
  (name) => {
    const text = readSample(name);
    for (let length = 0; length < text.length; length += 1) expectReadOrRefused(text.slice(0, length));
  },
);

function expectReadOrRefused(text: string): void {
  try {
    const { opus, iceUfrag } = readOffer(text);
    expect(opus.payloadType).toBe(111);
    expect(iceUfrag).not.toBe("");
  } catch (error) {
    expect(error).toBeInstanceOf(RingbackError);
    expect(error).toMatchObject({ code: expect.stringMatching(/^SDP_(?:INVALID|UNUSABLE)$/) });
  }
}
