import { expect, test } from "vitest";
import {
  CERTIFICATES,
  DtlsPair,
  fingerprintOf,
  makeCertificate,
  type PairOptions,
  PERFECT_LINK,
} from "../../../../test/support/dtls-pair.ts";

const GCM = "SRTP_AEAD_AES_128_GCM";
const CM = "SRTP_AES128_CM_HMAC_SHA1_80";

/** `message_type` of a datagram's first record, when it is a handshake message in plaintext. */
const HELLO_VERIFY_REQUEST = 3;
const firstType = (datagram: Uint8Array | undefined) => datagram?.[13];

function bothWays(pair: DtlsPair): void {
  expect(pair.client.association.sendData(Buffer.from("ping"))).toBe(true);
  expect(pair.server.association.sendData(Buffer.from("pong"))).toBe(true);
  pair.run(pair.nowMs + 100);
  expect(pair.server.data).toEqual(["ping"]);
  expect(pair.client.data).toEqual(["pong"]);
}

test("both sides connect in two round trips and agree on everything", () => {
  const pair = DtlsPair.connect();
  const [client] = pair.client.results;
  const [server] = pair.server.results;
  expect(pair.connectedAtMs).toBe(40);
  expect(pair.sent.map(({ from }) => from)).toEqual(["client", "server", "client", "server"]);
  expect(client).toEqual({ ...server, localSrtp: server?.remoteSrtp, remoteSrtp: server?.localSrtp });
  expect(client?.localSrtp).not.toEqual(client?.remoteSrtp);
  expect(client).toMatchObject({
    srtpProfile: GCM,
    cipherSuite: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    usesExtendedMasterSecret: true,
  });
});

test("no two handshakes have the same keys", () => {
  const keys = () => DtlsPair.connect().client.results[0]?.localSrtp;
  expect(keys()).not.toEqual(keys());
});

test.each<[string, PairOptions, typeof GCM | typeof CM]>([
  ["the server prefers GCM", { client: { srtpProfiles: [CM, GCM] } }, GCM],
  ["the server prefers CM", { server: { srtpProfiles: [CM, GCM] } }, CM],
  ["the client knows only CM", { client: { srtpProfiles: [CM] } }, CM],
  ["the server knows only CM", { server: { srtpProfiles: [CM] } }, CM],
])("the SRTP profile when %s", (_, options, profile) => {
  const pair = DtlsPair.connect(options);
  expect(pair.client.results[0]?.srtpProfile).toBe(profile);
  expect(pair.server.results[0]?.srtpProfile).toBe(profile);
  const saltBytes = profile === GCM ? 12 : 14;
  expect(pair.client.results[0]?.localSrtp.salt).toHaveLength(saltBytes);
});

test.each([128, 200, 350, 600, 1200])("datagrams of at most %i bytes are enough", (mtuBytes) => {
  const pair = DtlsPair.connect({ client: { mtuBytes }, server: { mtuBytes, requiresCookie: true } });
  expect(pair.isConnected).toBe(true);
  expect(Math.max(...pair.sent.map(({ bytes }) => bytes.length))).toBeLessThanOrEqual(mtuBytes);
});

test.each([127, 0, -1, 1200.5, 16_385, Number.NaN])("an mtuBytes of %d is refused", (mtuBytes) => {
  expect(() => new DtlsPair({ client: { mtuBytes } })).toThrow(
    expect.objectContaining({ code: "OPTION_INVALID", details: { option: "mtuBytes" } }),
  );
});

test("a server that wants a cookie gets it, for one round trip more", () => {
  const pair = DtlsPair.connect({ server: { requiresCookie: true } });
  expect(pair.connectedAtMs).toBe(60);
  const [hello, request] = pair.sent;
  expect(firstType(request?.bytes)).toBe(HELLO_VERIFY_REQUEST);
  expect(request?.bytes.length).toBeLessThan(hello?.bytes.length ?? 0);
  bothWays(pair);
});

test("without the cookie a server answers each ClientHello with less than it has, and keeps nothing", () => {
  const pair = new DtlsPair({
    server: { requiresCookie: true },
    link: (sent) => (sent.from === "server" ? [] : PERFECT_LINK(sent)),
  });
  pair.start();
  pair.run(20_000);
  const bytesFrom = (role: string) =>
    pair.sent.filter(({ from }) => from === role).reduce((sum, { bytes }) => sum + bytes.length, 0);
  expect(bytesFrom("server")).toBeLessThan(bytesFrom("client"));
  expect(pair.server.association.stats.flightsRetransmitted).toBe(0);
});

test("application data goes both ways once connected, and only then", () => {
  const pair = new DtlsPair();
  expect(pair.client.association.sendData(Buffer.from("early"))).toBe(false);
  pair.start();
  expect(pair.client.association.sendData(Buffer.from("early"))).toBe(false);
  pair.run(1_000);
  bothWays(pair);
});

test("application data that one datagram cannot hold is not sent", () => {
  const pair = DtlsPair.connect({ client: { mtuBytes: 500 } });
  const before = pair.sent.length;
  expect(pair.client.association.sendData(new Uint8Array(480))).toBe(false);
  expect(pair.sent.length).toBe(before);
  expect(pair.client.association.sendData(new Uint8Array(463))).toBe(true);
  expect(pair.sent.at(-1)?.bytes.length).toBeLessThanOrEqual(500);
});

test("once connected there is nothing to wait for", () => {
  const pair = DtlsPair.connect();
  expect(pair.client.association.deadlineMs).toBe(Number.POSITIVE_INFINITY);
  expect(pair.server.association.deadlineMs).toBe(Number.POSITIVE_INFINITY);
});

test.each(["client", "server"] as const)(
  "when the %s closes, the other one hears of it and answers",
  (role) => {
    const pair = DtlsPair.connect();
    const [closing, other] = role === "client" ? [pair.client, pair.server] : [pair.server, pair.client];
    const before = pair.sent.length;
    closing.association.close();
    closing.association.close();
    pair.run(2_000);
    expect(other.ends).toEqual(["peer-closed"]);
    expect(closing.ends).toEqual([]);
    expect(pair.sent.length - before).toBe(2);
    expect(closing.association.sendData(Buffer.from("late"))).toBe(false);
    expect(other.association.sendData(Buffer.from("late"))).toBe(false);
  },
);

test("closed before it is connected, an association is silent", () => {
  const pair = new DtlsPair();
  pair.start();
  pair.client.association.close();
  pair.run(60_000);
  expect(pair.sent.filter(({ from }) => from === "client")).toHaveLength(1);
  expect(pair.client.ends).toEqual([]);
});

const STRANGER = makeCertificate();
const FAILURES: readonly [string, PairOptions, client: string, server: string][] = [
  [
    "the server's certificate is not the one announced",
    { client: { remoteFingerprints: fingerprintOf(STRANGER) } },
    "fingerprint-mismatch",
    "peer-alert",
  ],
  [
    "the client's certificate is not the one announced",
    { server: { remoteFingerprints: fingerprintOf(STRANGER) } },
    "peer-alert",
    "fingerprint-mismatch",
  ],
  [
    "no fingerprint was announced",
    { client: { remoteFingerprints: [] } },
    "fingerprint-mismatch",
    "peer-alert",
  ],
  [
    "the server signs with a key that is not its certificate's",
    { server: { certificate: { ...CERTIFICATES.server, privateKey: STRANGER.privateKey } } },
    "protocol-error",
    "peer-alert",
  ],
  [
    "the client signs with a key that is not its certificate's",
    { client: { certificate: { ...CERTIFICATES.client, privateKey: STRANGER.privateKey } } },
    "peer-alert",
    "protocol-error",
  ],
  [
    "no SRTP profile is common",
    { client: { srtpProfiles: [GCM] }, server: { srtpProfiles: [CM] } },
    "peer-alert",
    "no-common-parameters",
  ],
];

test.each(FAILURES)("when %s, the one who sees it says so and both end", (_, options, client, server) => {
  const pair = DtlsPair.connect(options);
  expect([pair.client.ends, pair.server.ends]).toEqual([[client], [server]]);
  expect([pair.client.results, pair.server.results]).toEqual([[], []]);
  expect(pair.client.association.deadlineMs).toBe(Number.POSITIVE_INFINITY);
  expect(pair.server.association.deadlineMs).toBe(Number.POSITIVE_INFINITY);
});

test.each(["client", "server"] as const)("a %s that hears nothing gives up after 30 s", (role) => {
  const pair = DtlsPair.connect({ link: () => [] }, 29_999);
  const endpoint = pair[role];
  expect(endpoint.ends).toEqual([]);
  pair.run(30_000);
  expect(endpoint.ends).toEqual(["timeout"]);
  pair.run(120_000);
  expect(endpoint.ends).toEqual(["timeout"]);
});

test("a server whose client falls silent amid the handshake gives up 30 s after its last message", () => {
  const pair = new DtlsPair({ link: (sent) => (sent.index < 1 ? PERFECT_LINK(sent) : []) });
  pair.start();
  pair.run(30_009);
  expect(pair.server.ends).toEqual([]);
  pair.run(30_010);
  expect(pair.server.ends).toEqual(["timeout"]);
});

test("what comes before the start is dropped", () => {
  const pair = new DtlsPair();
  pair.client.association.start(0, 100);
  pair.run(50);
  expect(pair.server.association.stats).toMatchObject({ recordsReceived: 1, recordsDropped: 1 });
  pair.server.association.start(50, 100);
  pair.run(1_000);
  expect(pair.isConnected).toBe(true);
});

test("a second start does nothing", () => {
  const pair = new DtlsPair();
  pair.start();
  pair.client.association.start(5, 100);
  expect(pair.sent).toHaveLength(1);
});

test.each([1, 2, 3, 4])(
  "closed from within its %i. call to its sink, an association reports nothing",
  (count) => {
    for (const role of ["client", "server"] as const) {
      const pair = new DtlsPair({ client: { mtuBytes: 200 }, server: { mtuBytes: 200 } });
      const endpoint = pair[role];
      let calls = 0;
      endpoint.react = () => {
        calls += 1;
        if (calls === count) endpoint.association.close();
      };
      pair.start();
      pair.run(60_000);
      expect(calls).toBe(count);
      expect([endpoint.results, endpoint.ends]).toEqual([[], []]);
      expect(endpoint.association.deadlineMs).toBe(Number.POSITIVE_INFINITY);
    }
  },
);

test("closed while it sends its last flight, a server is not reported as connected", () => {
  const pair = new DtlsPair();
  pair.server.react = () => {
    if (pair.sent.length === 4) pair.server.association.close();
  };
  pair.start();
  pair.run(1_000);
  expect(pair.server.results).toEqual([]);
  expect(pair.client.ends).toEqual(["peer-closed"]);
});

test("closed from within the report that it is connected, an association says goodbye", () => {
  const pair = new DtlsPair();
  pair.client.react = () => {
    if (pair.client.results.length > 0) pair.client.association.close();
  };
  pair.start();
  pair.run(1_000);
  expect(pair.client.results).toHaveLength(1);
  expect(pair.server.ends).toEqual(["peer-closed"]);
});
