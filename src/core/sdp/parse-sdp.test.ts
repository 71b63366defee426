import fc from "fast-check";
import { expect, test } from "vitest";
import { readSample, sampleNames } from "../../../test/fixtures/sdp/samples.ts";
import { RingbackError } from "../../errors.ts";
import { parseSdp, type SdpInvalidReason } from "./parse-sdp.ts";
import type { SdpDocument, SdpLine } from "./sdp-document.ts";
import { SDP_LIMITS } from "./sdp-limits.ts";
import { serializeSdp } from "./serialize-sdp.ts";

const minimal =
  "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:audio\r\n";

test("lines keep their number and the m= line is taken apart", () => {
  const { session, media } = parseSdp(minimal);
  expect(session.map(({ type, line }) => [type, line])).toEqual([
    ["v", 1],
    ["o", 2],
    ["s", 3],
    ["t", 4],
  ]);
  expect(media).toEqual([
    {
      kind: "audio",
      port: 9,
      portCount: null,
      profile: "UDP/TLS/RTP/SAVPF",
      formats: ["111"],
      lines: [{ type: "a", value: "mid:audio", line: 6 }],
      line: 5,
    },
  ]);
});

test("LF alone, doubled carriage returns, no last line end and blank lines at the end give the same document", () => {
  const expected = parseSdp(minimal);
  expect(parseSdp(minimal.replaceAll("\r\n", "\n"))).toEqual(expected);
  expect(parseSdp(minimal.replaceAll("\r\n", "\r\r\n"))).toEqual(expected);
  expect(parseSdp(minimal.trimEnd())).toEqual(expected);
  expect(parseSdp(`${minimal}\r\n\n`)).toEqual(expected);
});

test("unknown lines and attributes are kept", () => {
  const text = `${minimal}a=new-thing:1=2\r\nx=experimental\r\n`;
  expect(serializeSdp(parseSdp(text))).toBe(text);
});

const faults: readonly (readonly [SdpInvalidReason, number | null, string])[] = [
  ["empty", null, ""],
  ["empty", null, "\r\n\n"],
  ["too-large", null, "a".repeat(SDP_LIMITS.textChars + 1)],
  ["too-many-lines", SDP_LIMITS.lines + 1, minimal + "a=x\r\n".repeat(SDP_LIMITS.lines)],
  ["line-too-long", 7, `${minimal}a=${"x".repeat(SDP_LIMITS.lineChars)}\r\n`],
  ["too-many-media-sections", 22, minimal + "m=video 0 RTP/AVP 0\r\n".repeat(SDP_LIMITS.mediaSections)],
  ["escaped-line-ends", 1, "v=0\\r\\no=- 1 1 IN IP4 0.0.0.0\\r\\n"],
  ["no-version", 1, "o=- 1 1 IN IP4 0.0.0.0\r\n"],
  ["no-version", 1, '{"sdp":"v=0"}'],
  ["not-a-line", 3, minimal.replace("s=-", "hello")],
  ["not-a-line", 3, minimal.replace("s=-\r\n", "\r\ns=-\r\n")],
  ["control-character", 3, minimal.replace("s=-", "s=\0")],
  ["control-character", 3, minimal.replace("s=-", "s=a\rb")],
  ["bad-media-line", 5, minimal.replace("audio 9", "audio 65536")],
  ["bad-media-line", 5, minimal.replace("audio 9", "audio nine")],
  ["bad-media-line", 5, minimal.replace("SAVPF 111", "SAVPF")],
];

test.each(faults)("%s is refused at line %s", (reason, line, text) => {
  expect(() => parseSdp(text)).toThrow(
    expect.objectContaining({ code: "SDP_INVALID", details: { line, reason } }),
  );
});

test.each(sampleNames)("%s is written back byte for byte", (name) => {
  const text = readSample(name);
  expect(serializeSdp(parseSdp(text))).toBe(text);
});

const value = fc.string({ unit: "grapheme", maxLength: 80 }).map((text) => text.replace(/[\0\r\n]/g, ""));
const line = fc.tuple(fc.constantFrom("a", "b", "c", "i", "k", "o", "p", "s", "t", "u", "z"), value);
const token = fc.stringMatching(/^[A-Za-z0-9/.+-]{1,12}$/);
const section = fc.record({
  kind: token,
  port: fc.nat(65_535),
  portCount: fc.option(fc.nat(99_999)),
  profile: token,
  formats: fc.array(token, { minLength: 1, maxLength: 8 }),
  lines: fc.array(line, { maxLength: 12 }),
});
const document = fc
  .record({ session: fc.array(line, { maxLength: 12 }), media: fc.array(section, { maxLength: 4 }) })
  .map(({ session, media }): SdpDocument => {
    let number = 1;
    const toLine = ([type, text]: readonly [string, string]): SdpLine => ({
      type,
      value: text,
      line: number++,
    });
    return {
      session: [toLine(["v", "0"]), ...session.map(toLine)],
      media: media.map((fields) => ({ ...fields, line: number++, lines: fields.lines.map(toLine) })),
    };
  });

test("what is written reads as the same document", () => {
  fc.assert(
    fc.property(document, (written) => {
      expect(parseSdp(serializeSdp(written))).toEqual(written);
    }),
  );
});

test("any text gives a document or SDP_INVALID, and a document can be written and read again", () => {
  const pieces = fc.array(
    fc.oneof(fc.constantFrom("v=0", "\r\n", "\n", "\r", "m=audio 9 X 1", "a=", "\0"), fc.string()),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: "binary" }),
        pieces.map((parts) => `v=0\n${parts.join("")}`),
      ),
      (text) => {
        let read: SdpDocument;
        try {
          read = parseSdp(text);
        } catch (error) {
          expect(error).toBeInstanceOf(RingbackError);
          expect(error).toMatchObject({ code: "SDP_INVALID" });
          return;
        }
        expect(parseSdp(serializeSdp(read))).toEqual(read);
      },
    ),
    { numRuns: 500 },
  );
});

test.each<[string, (read: SdpDocument) => SdpDocument]>([
  [
    "a value with a line end",
    (read) => ({ ...read, session: [...read.session, { type: "a", value: "x\r\ny", line: 0 }] }),
  ],
  [
    "a type of two letters",
    (read) => ({ ...read, session: [...read.session, { type: "ab", value: "", line: 0 }] }),
  ],
  [
    "an m= line among the lines",
    (read) => ({ ...read, session: [...read.session, { type: "m", value: "", line: 0 }] }),
  ],
  ["no version", (read) => ({ ...read, session: read.session.slice(1) })],
  ["no format", (read) => ({ ...read, media: [{ ...read.media[0]!, formats: [] }] })],
  ["a format with a space", (read) => ({ ...read, media: [{ ...read.media[0]!, formats: ["1 2"] }] })],
  ["a fraction of a port", (read) => ({ ...read, media: [{ ...read.media[0]!, port: 1.5 }] })],
])("a document with %s is not written", (_what, change) => {
  expect(() => serializeSdp(change(parseSdp(minimal)))).toThrow(
    expect.objectContaining({ code: "OPTION_INVALID" }),
  );
});
