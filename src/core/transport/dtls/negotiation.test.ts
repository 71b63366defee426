import { describe, expect, test } from "vitest";
import {
  answersOf,
  createHandshake,
  waitingFor,
  withBody,
} from "../../../../test/support/dtls-handshakes.ts";
import { AlertDescription } from "./alert.ts";
import type { HandshakeStep } from "./handshake.ts";
import type { HelloExtensions } from "./hello-extensions.ts";
import {
  encodeClientHello,
  encodeServerHello,
  type ParsedServerHello,
  parseClientHello,
  parseServerHello,
} from "./hello-messages.ts";
import { parseServerKeyExchange } from "./key-messages.ts";

const EMPTY = new Uint8Array(0);
const IGNORED = { kind: "ignored" };
const failed = (alert: number, reason = "protocol-error") => ({ kind: "failed", alert, reason });
const NOTHING_COMMON = failed(AlertDescription.handshakeFailure, "no-common-parameters");

describe("a server that gets a ClientHello", () => {
  const { message } = waitingFor(0);
  const hello = parseClientHello(message.body)!;

  function answerTo(change: {
    cipherSuites?: readonly number[];
    extensions?: Partial<HelloExtensions>;
  }): HandshakeStep {
    const { hasUnknown: _, ...extensions } = { ...hello.extensions, ...change.extensions };
    const body = encodeClientHello({ ...hello, ...change, extensions });
    return createHandshake("server").handle(withBody(message, body));
  }

  /** Leaves one extension out. */
  function without(name: keyof HelloExtensions): HandshakeStep {
    const { hasUnknown: _, [name]: __, ...extensions } = hello.extensions;
    const body = encodeClientHello({ ...hello, extensions });
    return createHandshake("server").handle(withBody(message, body));
  }

  function patched(offset: number, ...bytes: number[]): HandshakeStep {
    const body = Uint8Array.from(message.body);
    body.set(bytes, offset);
    return createHandshake("server").handle(withBody(message, body));
  }

  const serverHelloOf = (step: HandshakeStep) => parseServerHello(answersOf(step)[0]?.body ?? EMPTY)!;
  const groupOf = (step: HandshakeStep) => parseServerKeyExchange(answersOf(step)[2]?.body ?? EMPTY)?.group;

  test("picks the best suite of ours that its ECDSA certificate fits", () => {
    expect(serverHelloOf(answerTo({})).cipherSuite).toBe(0xc02b);
    expect(serverHelloOf(answerTo({ cipherSuites: [0xc030, 0xc02c, 0xcca9, 0x1301] })).cipherSuite).toBe(
      0xcca9,
    );
    expect(answerTo({ cipherSuites: [0xc02f, 0xc030, 0xcca8, 0xc009, 0x002f] })).toEqual(NOTHING_COMMON);
    expect(answerTo({ cipherSuites: [] })).toEqual(NOTHING_COMMON);
  });

  test("picks X25519, else P-256", () => {
    expect(groupOf(answerTo({}))).toBe(29);
    expect(groupOf(answerTo({ extensions: { supportedGroups: [24, 23, 29] } }))).toBe(29);
    expect(groupOf(answerTo({ extensions: { supportedGroups: [0x11ec, 23] } }))).toBe(23);
    expect(groupOf(without("supportedGroups"))).toBe(23);
    expect(answerTo({ extensions: { supportedGroups: [24, 25] } })).toEqual(NOTHING_COMMON);
  });

  test("needs a client that can verify its signature", () => {
    expect(answerTo({ extensions: { signatureSchemes: [0x0804, 0x0401] } })).toEqual(NOTHING_COMMON);
    expect(without("signatureSchemes")).toEqual(NOTHING_COMMON);
  });

  test("needs an SRTP profile, and answers an MKI with none", () => {
    expect(answerTo({ extensions: { useSrtp: { profiles: [0x0008, 0x0002], mki: EMPTY } } })).toEqual(
      NOTHING_COMMON,
    );
    expect(without("useSrtp")).toEqual(NOTHING_COMMON);
    const mki = Uint8Array.of(1, 2);
    expect(
      serverHelloOf(answerTo({ extensions: { useSrtp: { profiles: [1, 7], mki } } })).extensions.useSrtp,
    ).toEqual({
      profiles: [7],
      mki: EMPTY,
    });
  });

  test("answers those extensions alone that the client sent", () => {
    expect(Object.keys(serverHelloOf(answerTo({})).extensions).sort()).toEqual(
      ["hasUnknown", "renegotiationInfo", "extendedMasterSecret", "ecPointFormats", "useSrtp"].sort(),
    );
    expect(serverHelloOf(without("extendedMasterSecret")).extensions.extendedMasterSecret).toBeUndefined();
    expect(serverHelloOf(without("renegotiationInfo")).extensions.renegotiationInfo).toBeUndefined();
    expect(serverHelloOf(without("ecPointFormats")).extensions.ecPointFormats).toBeUndefined();
  });

  test("takes the signalling cipher suite for renegotiation_info", () => {
    const { hasUnknown: _, renegotiationInfo: __, ...extensions } = hello.extensions;
    const body = encodeClientHello({ ...hello, cipherSuites: [0x00ff, 0xc02b], extensions });
    const step = createHandshake("server").handle(withBody(message, body));
    expect(serverHelloOf(step).extensions.renegotiationInfo).toEqual(EMPTY);
  });

  test("refuses what breaks the rules of an extension", () => {
    expect(answerTo({ extensions: { renegotiationInfo: Uint8Array.of(1) } })).toEqual(
      failed(AlertDescription.handshakeFailure),
    );
    expect(answerTo({ extensions: { ecPointFormats: [1, 2] } })).toEqual(
      failed(AlertDescription.illegalParameter),
    );
  });

  test("takes DTLS 1.2 and later, refuses 1.0, and ignores what is no DTLS", () => {
    const versionNotCommon = failed(AlertDescription.protocolVersion, "no-common-parameters");
    expect(patched(0, 0xfe, 0xfc).kind).toBe("flight");
    expect(serverHelloOf(patched(0, 0xfe, 0xfc)).version).toBe(0xfefd);
    expect(patched(0, 0xfe, 0xff)).toEqual(versionNotCommon);
    expect(patched(0, 0x03, 0x03)).toEqual(IGNORED);
  });

  test("refuses a client that insists on compression", () => {
    const compressionAt = 2 + 32 + 1 + 1 + 2 + 2 * hello.cipherSuites.length + 1;
    expect(patched(compressionAt, 1)).toEqual(failed(AlertDescription.illegalParameter));
  });

  test("ignores a ClientHello with an extension twice, or a session id too long", () => {
    const doubled = Uint8Array.from([...message.body, 0, 23, 0, 0]);
    const lengthAt = message.body.length - (encodeExtensionsLength(message.body) + 2);
    const length = encodeExtensionsLength(message.body) + 4;
    doubled.set([length >> 8, length & 0xff], lengthAt);
    expect(createHandshake("server").handle(withBody(message, doubled))).toEqual(IGNORED);
    const long = Uint8Array.from([
      ...message.body.subarray(0, 34),
      33,
      ...new Uint8Array(33),
      ...message.body.subarray(35),
    ]);
    expect(createHandshake("server").handle(withBody(message, long))).toEqual(IGNORED);
  });

  /** Of the extensions at the end of our own ClientHello. */
  function encodeExtensionsLength(body: Uint8Array): number {
    const start = 2 + 32 + 1 + 1 + 2 + 2 * hello.cipherSuites.length + 2;
    return body.length - start - 2;
  }
});

describe("a client that gets a ServerHello", () => {
  function answerTo(change: (hello: ParsedServerHello) => Partial<ParsedServerHello>): HandshakeStep {
    const { side, message } = waitingFor(1);
    const hello = parseServerHello(message.body)!;
    return side.handle(withBody(message, encodeServerHello({ ...hello, ...change(hello) })));
  }

  const withExtensions = (extensions: HelloExtensions) =>
    answerTo((hello) => ({ extensions: { ...hello.extensions, ...extensions } }));

  function patched(offset: number, ...bytes: number[]): HandshakeStep {
    const { side, message } = waitingFor(1);
    const body = Uint8Array.from(message.body);
    body.set(bytes, offset);
    return side.handle(withBody(message, body));
  }

  test("takes one without extended master secret or renegotiation_info", () => {
    expect(
      answerTo(({ extensions: { useSrtp } }) => ({
        extensions: { hasUnknown: false, ...(useSrtp && { useSrtp }) },
      })).kind,
    ).toBe("taken");
  });

  test("refuses another version, suite or compression than it offered", () => {
    const versionNotCommon = failed(AlertDescription.protocolVersion, "no-common-parameters");
    expect(patched(0, 0xfe, 0xff)).toEqual(versionNotCommon);
    expect(patched(0, 0xfe, 0xfc)).toEqual(versionNotCommon);
    const illegal = failed(AlertDescription.illegalParameter);
    expect(answerTo(() => ({ cipherSuite: 0x002f }))).toEqual(illegal);
    expect(patched(37, 1)).toEqual(illegal);
  });

  test("refuses extensions that it did not offer, or that break their rules", () => {
    const { side, message } = waitingFor(1);
    const body = Uint8Array.from([...message.body, 0, 16, 0, 0]); // application_layer_protocol_negotiation
    const length = body.length - 40;
    body.set([length >> 8, length & 0xff], 38);
    expect(side.handle(withBody(message, body))).toEqual(failed(AlertDescription.unsupportedExtension));
    expect(withExtensions({ renegotiationInfo: Uint8Array.of(1) })).toEqual(
      failed(AlertDescription.handshakeFailure),
    );
    expect(withExtensions({ ecPointFormats: [1] })).toEqual(failed(AlertDescription.illegalParameter));
  });

  test("needs one SRTP profile of its own, without an MKI", () => {
    const illegal = failed(AlertDescription.illegalParameter);
    expect(withExtensions({ useSrtp: { profiles: [7], mki: Uint8Array.of(1) } })).toEqual(illegal);
    expect(withExtensions({ useSrtp: { profiles: [7, 1], mki: EMPTY } })).toEqual(illegal);
    expect(withExtensions({ useSrtp: { profiles: [8], mki: EMPTY } })).toEqual(illegal);
    expect(withExtensions({ useSrtp: { profiles: [], mki: EMPTY } })).toEqual(illegal);
    expect(answerTo(() => ({ extensions: { hasUnknown: false } }))).toEqual(NOTHING_COMMON);
  });
});
