import { expect, test } from "vitest";
import { type Capture, readCapture } from "../../../../test/fixtures/dtls/flights.ts";
import { CERTIFICATES, Endpoint } from "../../../../test/support/dtls-pair.ts";
import { recordsOf } from "../../../../test/support/dtls-peer.ts";
import type { DtlsRole } from "./dtls-association.ts";
import { HandshakeType } from "./handshake-message.ts";
import { parseClientHello } from "./hello-messages.ts";
import { ContentType } from "./record.ts";

/** Our side of a capture: what it sends, and what it does when it is sent what the other stack sent. */
class Replay {
  readonly sent: Uint8Array[] = [];
  readonly endpoint: Endpoint;
  readonly #theirs: readonly Uint8Array[];

  constructor(capture: Capture, role: DtlsRole) {
    const [first] = capture.datagrams;
    // The server's signature covers the random of our ClientHello: this one says the same.
    const random = parseClientHello(first?.bytes.subarray(25) ?? new Uint8Array(0))?.random;
    this.#theirs = capture.datagrams.filter(({ from }) => from !== role).map(({ bytes }) => bytes);
    this.endpoint = new Endpoint(
      {
        role,
        certificate: CERTIFICATES[role],
        remoteFingerprints: [capture.fingerprint],
        random: (byteLength) => random?.subarray(0, byteLength) ?? new Uint8Array(byteLength),
      },
      (bytes) => this.sent.push(Uint8Array.from(bytes)),
      () => 0,
    );
    this.endpoint.association.start(0, 100);
  }

  /** @param order Of their datagrams; default as they came. */
  receive(order: (theirs: Uint8Array[]) => readonly Uint8Array[] = (theirs) => theirs): void {
    for (const bytes of order(this.#theirs.slice())) this.endpoint.association.receive(bytes, 10);
  }

  /** Types of the handshake messages that we sent in plaintext. */
  get sentTypes(): readonly number[] {
    return this.sent
      .flatMap(recordsOf)
      .filter(({ contentType, epoch }) => contentType === ContentType.handshake && epoch === 0)
      .map(({ payload }) => payload[0] ?? -1);
  }
}

const CLIENT_FLIGHT = [
  HandshakeType.certificate,
  HandshakeType.clientKeyExchange,
  HandshakeType.certificateVerify,
];

test.each([
  "openssl-server-ecdsa",
  "openssl-server-rsa-fragments",
  "openssl-server-cookie-chacha20",
] as const)("%s: its cookie is brought back, its signature verified, its flight answered", (name) => {
  const replay = new Replay(readCapture(name), "client");
  replay.receive();
  const { clientHello } = HandshakeType;
  expect(replay.sentTypes).toEqual([clientHello, clientHello, ...CLIENT_FLIGHT]);
  // Its Finished is for the keys of the capture.
  expect(replay.endpoint.results).toEqual([]);
  expect(replay.endpoint.ends).toEqual([]);
});

test("openssl-server-rsa-fragments: its fragments come in reverse", () => {
  const replay = new Replay(readCapture("openssl-server-rsa-fragments"), "client");
  replay.receive(([request, ...flight]) => [request ?? new Uint8Array(0), ...flight.slice(0, -1).reverse()]);
  expect(replay.sentTypes.slice(2)).toEqual(CLIENT_FLIGHT);
});

test.each(["openssl-client-ecdsa", "openssl-client-rsa-fragments"] as const)(
  "%s: its ClientHello is answered, its certificate taken",
  (name) => {
    const replay = new Replay(readCapture(name), "server");
    replay.receive();
    expect(replay.sentTypes).toEqual([
      HandshakeType.serverHello,
      HandshakeType.certificate,
      HandshakeType.serverKeyExchange,
      HandshakeType.certificateRequest,
      HandshakeType.serverHelloDone,
    ]);
    // Its CertificateVerify is for the handshake of the capture, with another server random.
    expect(replay.endpoint.ends).toEqual(["protocol-error"]);
  },
);

test("chromium-client-ecdsa: a ClientHello in two datagrams that prefers DTLS 1.3 gets DTLS 1.2", () => {
  const capture = readCapture("chromium-client-ecdsa");
  const [first, second] = capture.datagrams;
  for (const order of [
    [first, second],
    [second, first],
    [second, second, first],
  ]) {
    const replay = new Replay(capture, "server");
    replay.receive(() => order.map((datagram) => datagram?.bytes ?? new Uint8Array(0)));
    expect(replay.sentTypes).toHaveLength(5);
    const [serverHello] = replay.sent.flatMap(recordsOf);
    expect([...(serverHello?.payload.subarray(12, 14) ?? [])]).toEqual([0xfe, 0xfd]);
    expect(replay.endpoint.ends).toEqual([]);
  }
});

test("chromium-client-ecdsa: half of its ClientHello is not answered", () => {
  const capture = readCapture("chromium-client-ecdsa");
  const replay = new Replay(capture, "server");
  replay.receive(([first]) => [first ?? new Uint8Array(0), first ?? new Uint8Array(0)]);
  expect(replay.sent).toEqual([]);
});
