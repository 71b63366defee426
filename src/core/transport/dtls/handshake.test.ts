import { describe, expect, test } from "vitest";
import { CERTIFICATES } from "../../../../test/support/dtls-pair.ts";
import { createHandshake, messagesOf, toMessage, withBody } from "../../../../test/support/dtls-peer.ts";
import { AlertDescription } from "./alert.ts";
import type { Handshake, HandshakeStep } from "./handshake.ts";
import { buildMessage, type HandshakeMessage, HandshakeType } from "./handshake-message.ts";
import type { HelloExtensions } from "./hello-extensions.ts";
import {
  encodeClientHello,
  encodeServerHello,
  type ParsedServerHello,
  parseClientHello,
  parseServerHello,
} from "./hello-messages.ts";
import { EphemeralKey } from "./key-exchange.ts";
import {
  encodeClientKeyExchange,
  encodeEcdhParameters,
  encodeServerKeyExchange,
  parseServerKeyExchange,
} from "./key-messages.ts";
import { signEcdsaSha256 } from "./signature.ts";

const EMPTY = new Uint8Array(0);
const IGNORED = { kind: "ignored" };
const failed = (alert: number, reason = "protocol-error") => ({ kind: "failed", alert, reason });
const NOTHING_COMMON = failed(AlertDescription.handshakeFailure, "no-common-parameters");

function answersOf(step: HandshakeStep): readonly HandshakeMessage[] {
  return step.kind === "flight" || step.kind === "complete" ? messagesOf(step.flight) : [];
}

/** Both sides, and every message in the order in which they go. */
function exchange(): { client: Handshake; server: Handshake; messages: [to: Handshake, HandshakeMessage][] } {
  const [client, server] = [createHandshake("client"), createHandshake("server")];
  const messages: [Handshake, HandshakeMessage][] = [];
  for (
    let pending = messagesOf(client.begin()), to = server;
    pending.length > 0;
    to = to === server ? client : server
  ) {
    let answers: readonly HandshakeMessage[] = [];
    for (const message of pending) {
      messages.push([to, message]);
      const step = to.handle(message);
      answers = answersOf(step);
    }
    pending = answers;
  }
  return { client, server, messages };
}

/** A side that waits for the message at `index` of an exchange, and that message. */
function waitingFor(index: number): { side: Handshake; message: HandshakeMessage } {
  const [client, server] = [createHandshake("client"), createHandshake("server")];
  let to = server;
  let pending = messagesOf(client.begin()).slice();
  for (let at = 0; ; at++) {
    const message = pending.shift();
    if (message === undefined) throw new Error("no such message");
    if (at === index) return { side: to, message };
    const answers = answersOf(to.handle(message));
    if (answers.length > 0) {
      pending = answers.slice();
      to = to === server ? client : server;
    }
  }
}

const ORDER = [
  HandshakeType.clientHello,
  HandshakeType.serverHello,
  HandshakeType.certificate,
  HandshakeType.serverKeyExchange,
  HandshakeType.certificateRequest,
  HandshakeType.serverHelloDone,
  HandshakeType.certificate,
  HandshakeType.clientKeyExchange,
  HandshakeType.certificateVerify,
  HandshakeType.finished,
  HandshakeType.finished,
];

test("the messages go in the order of RFC 5246 §7.3", () => {
  expect(exchange().messages.map(([, { type }]) => type)).toEqual(ORDER);
});

test("a message cut short anywhere is ignored or refused, and never taken", () => {
  for (const index of ORDER.keys()) {
    const { message } = waitingFor(index);
    for (let length = 0; length < message.body.length; length += 1 + Math.floor(length / 16)) {
      const { side, message: whole } = waitingFor(index);
      const step = side.handle(withBody(whole, whole.body.subarray(0, length)));
      expect(["ignored", "failed"], `${length} bytes of message ${index}`).toContain(step.kind);
    }
  }
});

test("a message with a byte too many is ignored or refused, and never taken", () => {
  for (const index of ORDER.keys()) {
    const { side, message } = waitingFor(index);
    const step = side.handle(withBody(message, Uint8Array.of(...message.body, 0)));
    expect(["ignored", "failed"], `message ${index}`).toContain(step.kind);
  }
});

test("a message out of place is ignored, and then the right one is taken; a Finished is fatal", () => {
  for (const [index, expected] of ORDER.entries()) {
    const { side, message } = waitingFor(index);
    for (const type of [...Object.values(HandshakeType), 4, 22]) {
      const isOptional =
        expected === HandshakeType.serverHelloDone && type === HandshakeType.certificateRequest;
      const isHello = expected === HandshakeType.serverHello && type === HandshakeType.helloVerifyRequest;
      if (type === expected || type === HandshakeType.finished || isOptional || isHello) continue;
      // A ServerHelloDone may stand where a CertificateRequest may.
      if (expected === HandshakeType.certificateRequest && type === HandshakeType.serverHelloDone) continue;
      expect(side.handle(toMessage(buildMessage(type, message.sequence, message.body)))).toEqual(IGNORED);
    }
    expect(["taken", "flight", "complete"]).toContain(side.handle(message).kind);
    if (expected === HandshakeType.finished) continue;
    const other = waitingFor(index).side;
    const finished = toMessage(buildMessage(HandshakeType.finished, 0, new Uint8Array(12)));
    expect(other.handle(finished)).toEqual(failed(AlertDescription.unexpectedMessage));
  }
});

test.each([9, 10])("message %i, a Finished with any bit flipped, is refused", (index) => {
  for (let bit = 0; bit < 12 * 8; bit += 5) {
    const { side, message } = waitingFor(index);
    const body = Uint8Array.from(message.body);
    body[bit >> 3] = (body[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(side.handle(withBody(message, body))).toEqual(failed(AlertDescription.decryptError));
  }
});

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
    expect(patched(0, 0x03, 0x03)).toEqual(versionNotCommon);
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

describe("key exchange", () => {
  /** What a client makes of a ServerKeyExchange with these parameters, rightly signed, and of the ServerHelloDone. */
  function stepsWith(parameters: Uint8Array): readonly HandshakeStep[] {
    const [client, server] = [createHandshake("client"), createHandshake("server")];
    const [clientHello] = messagesOf(client.begin());
    const [serverHello, certificate, exchange, , done] = answersOf(server.handle(clientHello!));
    const randoms = [
      parseClientHello(clientHello!.body)!.random,
      parseServerHello(serverHello!.body)!.random,
    ];
    const signature = signEcdsaSha256(
      CERTIFICATES.server.privateKey,
      Buffer.concat([...randoms, parameters]),
    );
    const signed = encodeServerKeyExchange(parameters, { scheme: 0x0403, signature });
    return [serverHello!, certificate!, withBody(exchange!, signed), done!].map((message) =>
      client.handle(message),
    );
  }

  test("a client refuses a group that it did not offer", () => {
    const parameters = Uint8Array.from(encodeEcdhParameters("secp256r1", new Uint8Array(97)));
    parameters[2] = 24; // secp384r1
    expect(stepsWith(parameters)[2]).toEqual(failed(AlertDescription.illegalParameter));
  });

  test.each([
    ["of low order", "x25519", new Uint8Array(32)],
    ["of another length", "x25519", new Uint8Array(31)],
    ["off the curve", "secp256r1", new Uint8Array(65).fill(4)],
    ["at infinity", "secp256r1", Uint8Array.of(0)],
  ] as const)("a client refuses a key %s", (_, group, key) => {
    const steps = stepsWith(encodeEcdhParameters(group, key));
    expect(steps.at(-1)).toEqual(failed(AlertDescription.illegalParameter));
  });

  test("a server refuses a key of low order, of another group or of another length", () => {
    for (const key of [
      new Uint8Array(32),
      EphemeralKey.create("secp256r1").publicKey,
      new Uint8Array(31),
      EMPTY,
    ]) {
      const { side, message } = waitingFor(7);
      expect(side.handle(withBody(message, encodeClientKeyExchange(key)))).toEqual(
        failed(AlertDescription.illegalParameter),
      );
    }
  });

  test("a client without a CertificateRequest sends no certificate", () => {
    const { side, message } = waitingFor(4);
    const step = side.handle(toMessage(buildMessage(HandshakeType.serverHelloDone, message.sequence, EMPTY)));
    expect(answersOf(step).map(({ type }) => type)).toEqual([
      HandshakeType.clientKeyExchange,
      HandshakeType.finished,
    ]);
  });

  test("a client whose signature the server would not take says so", () => {
    const { side, message } = waitingFor(4);
    const rsaOnly = Uint8Array.of(1, 1, 0, 2, 0x08, 0x04, 0, 0);
    expect(side.handle(withBody(message, rsaOnly))).toEqual(NOTHING_COMMON);
  });

  test("a server refuses a client without a certificate", () => {
    const { side, message } = waitingFor(6);
    expect(side.handle(withBody(message, Uint8Array.of(0, 0, 0)))).toEqual(
      failed(AlertDescription.handshakeFailure, "fingerprint-mismatch"),
    );
  });
});
