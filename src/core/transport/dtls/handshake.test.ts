import { describe, expect, test } from "vitest";
import {
  answersOf,
  createHandshake,
  messagesOf,
  toMessage,
  waitingFor,
  withBody,
} from "../../../../test/support/dtls-handshakes.ts";
import { CERTIFICATES } from "../../../../test/support/dtls-pair.ts";
import { AlertDescription } from "./alert.ts";
import type { HandshakeStep } from "./handshake.ts";
import { buildMessage, HandshakeType } from "./handshake-message.ts";
import { parseClientHello, parseServerHello } from "./hello-messages.ts";
import { EphemeralKey } from "./key-exchange.ts";
import { encodeClientKeyExchange, encodeEcdhParameters, encodeServerKeyExchange } from "./key-messages.ts";
import { signEcdsaSha256 } from "./signature.ts";

const EMPTY = new Uint8Array(0);
const IGNORED = { kind: "ignored" };
const failed = (alert: number, reason = "protocol-error") => ({ kind: "failed", alert, reason });
const NOTHING_COMMON = failed(AlertDescription.handshakeFailure, "no-common-parameters");

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
  expect(ORDER.map((_, index) => waitingFor(index).message.type)).toEqual(ORDER);
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
    const parameters = Uint8Array.from(encodeEcdhParameters("secp256r1", new Uint8Array(133)));
    parameters[2] = 25; // secp521r1
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
