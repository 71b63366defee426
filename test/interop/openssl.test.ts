import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CIPHER_SUITES } from "../../src/core/transport/dtls/cipher-suites.ts";
import type { DtlsOptions, DtlsResult, DtlsRole } from "../../src/core/transport/dtls/dtls-association.ts";
import { createCertificate } from "../../src/core/transport/dtls/dtls-certificate.ts";
import { HANDSHAKE_HEADER_BYTES, HandshakeType } from "../../src/core/transport/dtls/handshake-message.ts";
import { SRTP_KEY_BYTES, type SrtpProfile } from "../../src/core/transport/srtp/srtp-profile.ts";
import { recordsOf } from "../support/dtls-peer.ts";
import { UdpEndpoint } from "./openssl-endpoint.ts";
import { type KeyKind, OpensslFolder, OpensslPeer, opensslVersion } from "./openssl-peer.ts";

const version = opensslVersion();
if (version === null) console.warn("skipped: openssl is not installed (Debian package openssl)");

/** OpenSSL's names of the profiles. */
const PROFILES: Readonly<Record<SrtpProfile, string>> = {
  SRTP_AEAD_AES_128_GCM: "SRTP_AEAD_AES_128_GCM",
  SRTP_AES128_CM_HMAC_SHA1_80: "SRTP_AES128_CM_SHA1_80",
};
const BOTH_PROFILES = Object.values(PROFILES).join(":");

/** OpenSSL's names of our suites. */
const CIPHERS: ReadonlyMap<string, string> = new Map([
  ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"],
  ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"],
  ["TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"],
  ["TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305"],
  ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"],
  ["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384"],
]);

const certificate = createCertificate({
  nowMs: Date.now(),
  lifetimeMs: 86_400_000,
  random: randomBytes,
});

interface CallOptions {
  /** Of OpenSSL's certificate. Default ECDSA. */
  readonly key?: KeyKind;
  /** What we say differently. */
  readonly ours?: Partial<DtlsOptions>;
  /** Further options of OpenSSL's command. */
  readonly theirs?: readonly string[];
  /** OpenSSL's list. Default both. */
  readonly profiles?: string;
  readonly exportBytes?: number;
  readonly environment?: NodeJS.ProcessEnv;
}

interface OpensslCall extends AsyncDisposable {
  readonly role: DtlsRole;
  readonly endpoint: UdpEndpoint;
  readonly openssl: OpensslPeer;
}

describe.skipIf(version === null)(`against ${version}`, () => {
  let folder: OpensslFolder;
  const fingerprints = new Map<KeyKind, { algorithm: string; value: string }>();

  beforeAll(() => {
    folder = new OpensslFolder();
    for (const kind of ["ecdsa", "ecdsa-p384", "rsa"] as const) {
      fingerprints.set(kind, folder.createCertificate(kind));
    }
  });
  afterAll(() => folder.remove());

  /** Starts OpenSSL and our association in the role given. Both verify the other's certificate. */
  async function call(role: DtlsRole, options: CallOptions = {}): Promise<OpensslCall> {
    const key = options.key ?? "ecdsa";
    const common = [
      ...["-dtls1_2", "-use_srtp", options.profiles ?? BOTH_PROFILES],
      ...["-keymatexport", "EXTRACTOR-dtls_srtp", "-keymatexportlen", `${options.exportBytes ?? 56}`],
      ...folder.useCertificate(key),
      ...folder.trust(certificate),
      ...(options.theirs ?? []),
    ];
    const remoteFingerprints = [fingerprints.get(key) ?? { algorithm: "", value: "" }];
    const ours = { role, certificate, remoteFingerprints, ...options.ours };
    if (role === "server") {
      const endpoint = await UdpEndpoint.open(0, ours);
      endpoint.start();
      const connect = ["-connect", `127.0.0.1:${endpoint.port}`];
      return open(role, endpoint, new OpensslPeer(["s_client", ...connect, ...common], options.environment));
    }
    const accept = ["-accept", "127.0.0.1:0", "-Verify", "1"];
    const openssl = new OpensslPeer(["s_server", ...accept, ...common], options.environment);
    const [, port] = await openssl.find(/ACCEPT 127\.0\.0\.1:(\d+)/);
    const endpoint = await UdpEndpoint.open(Number(port), ours);
    return open(role, endpoint, openssl);
  }

  function open(role: DtlsRole, endpoint: UdpEndpoint, openssl: OpensslPeer): OpensslCall {
    const close = async () => {
      endpoint[Symbol.dispose]();
      await openssl[Symbol.asyncDispose]();
    };
    return { role, endpoint, openssl, [Symbol.asyncDispose]: close };
  }

  /** Until both are connected, with the same keys for SRTP. */
  async function connect({ role, endpoint, openssl }: OpensslCall): Promise<DtlsResult> {
    const connected = endpoint.next("connected");
    endpoint.start(); // A second start of a server does nothing.
    const result = await connected;
    expect(keyingMaterial(role, result)).toBe(await openssl.exportedKeys());
    return result;
  }

  const bothRoles = test.each(["client", "server"] as const);

  for (const { name, authentication } of CIPHER_SUITES) {
    for (const profile of Object.keys(PROFILES) as SrtpProfile[]) {
      // Our certificate is ECDSA: as a server we have no use for the RSA suites.
      for (const role of authentication === "ecdsa" ? (["client", "server"] as const) : ["client" as const]) {
        test(`as ${role}, ${name} and ${profile}: both have the same SRTP keys`, async () => {
          const { key, salt } = SRTP_KEY_BYTES[profile];
          await using running = await call(role, {
            key: authentication,
            theirs: ["-cipher", CIPHERS.get(name) ?? ""],
            profiles: PROFILES[profile],
            exportBytes: 2 * (key + salt),
          });
          const result = await connect(running);
          expect(result).toMatchObject({
            cipherSuite: name,
            srtpProfile: profile,
            usesExtendedMasterSecret: true,
          });
        });
      }
    }
  }

  test.each([
    ["server", "rsa"],
    ["server", "ecdsa-p384"],
    ["client", "ecdsa-p384"],
  ] as const)("as %s, a peer with an %s certificate", async (role, key) => {
    await using running = await call(role, { key });
    await connect(running);
  });

  test("as client, a server that signs with RSA-PSS", async () => {
    const theirs = ["-sigalgs", "rsa_pss_rsae_sha256:ecdsa_secp256r1_sha256"];
    await using running = await call("client", { key: "rsa", theirs });
    await connect(running);
  });

  bothRoles("as %s, key exchange on P-256 alone", async (role) => {
    await using running = await call(role, { theirs: ["-groups", "P-256"] });
    await connect(running);
  });

  test("as client, a server that prefers P-384 for the key exchange", async () => {
    // P-256 must be among its groups too: our certificate is on it.
    await using running = await call("client", { theirs: ["-groups", "P-384:P-256", "-serverpref"] });
    await connect(running);
    const records = running.endpoint.sent.flatMap(recordsOf);
    const keyExchange = records.find(({ payload }) => payload[0] === HandshakeType.clientKeyExchange);
    expect(keyExchange?.payload[HANDSHAKE_HEADER_BYTES], "bytes of our point").toBe(97);
  });

  bothRoles("as %s, without extended master secret", async (role) => {
    const environment = folder.environmentWithoutExtendedMasterSecret();
    await using running = await call(role, { environment });
    const result = await connect(running);
    expect(result.usesExtendedMasterSecret).toBe(false);
  });

  test("as server, our preference decides on the SRTP profile", async () => {
    await using running = await call("server", {
      profiles: "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM",
    });
    expect((await connect(running)).srtpProfile).toBe("SRTP_AEAD_AES_128_GCM");
  });

  bothRoles("as %s, application data goes both ways", async (role) => {
    await using running = await call(role);
    await connect(running);
    expect(running.endpoint.association.sendData(Buffer.from("from us\n"))).toBe(true);
    await running.openssl.find(/from us\n/);
    const data = running.endpoint.next("data");
    running.openssl.type("from openssl");
    expect(await data).toBe("from openssl\n");
  });

  bothRoles("as %s, small datagrams: messages come and go in fragments", async (role) => {
    await using running = await call(role, { key: "rsa", theirs: ["-mtu", "320"], ours: { mtuBytes: 256 } });
    await connect(running);
    const { sent, received } = running.endpoint;
    expect(Math.max(...sent.map((datagram) => datagram.length))).toBeLessThanOrEqual(256);
    expect(Math.max(...received.map((datagram) => datagram.length))).toBeLessThanOrEqual(320);
    expect(received.length).toBeGreaterThan(4);
  });

  test("as client, a server that asks for a cookie", async () => {
    await using running = await call("client", { theirs: ["-listen"] });
    await connect(running);
    expect(running.endpoint.received[0]?.[13], "HelloVerifyRequest").toBe(3);
  });

  test("as server, OpenSSL brings back our cookie", async () => {
    await using running = await call("server", { ours: { requiresCookie: true } });
    await connect(running);
    const [request] = running.endpoint.received;
    const [answer] = running.endpoint.sent;
    expect(answer?.[13], "HelloVerifyRequest").toBe(3);
    expect(answer?.length).toBeLessThan(request?.length ?? 0);
  });

  bothRoles("as %s, a certificate other than announced ends it with an alert", async (role) => {
    const remoteFingerprints = [{ algorithm: "sha-256", value: certificate.sha256Fingerprint }];
    await using running = await call(role, { ours: { remoteFingerprints } });
    const ended = running.endpoint.next("ended");
    running.endpoint.start();
    expect(await ended).toBe("fingerprint-mismatch");
    await running.openssl.find(/alert bad certificate/);
  });

  bothRoles("as %s, no SRTP profile in common ends it with an alert", async (role) => {
    await using running = await call(role, {
      profiles: PROFILES.SRTP_AEAD_AES_128_GCM,
      ours: { srtpProfiles: ["SRTP_AES128_CM_HMAC_SHA1_80"] },
    });
    const ended = running.endpoint.next("ended");
    running.endpoint.start();
    expect(await ended).toBe("no-common-parameters");
    await running.openssl.find(/alert handshake failure/);
  });

  bothRoles("as %s, OpenSSL's refusal of our certificate is reported", async (role) => {
    const stranger = createCertificate({ nowMs: Date.now(), lifetimeMs: 86_400_000, random: randomBytes });
    await using running = await call(role, { ours: { certificate: stranger } });
    const ended = running.endpoint.next("ended");
    running.endpoint.start();
    expect(await ended).toBe("peer-alert");
  });

  test("as server, OpenSSL closes", async () => {
    await using running = await call("server");
    await connect(running);
    const ended = running.endpoint.next("ended");
    running.openssl.type("Q");
    expect(await ended).toBe("peer-closed");
  });

  bothRoles("as %s, we close", async (role) => {
    await using running = await call(role);
    await connect(running);
    running.endpoint.association.close();
    await running.openssl.find(role === "client" ? /CONNECTION CLOSED|DONE/ : /closed/);
  });

  bothRoles("as %s, OpenSSL's wish to renegotiate is refused with one warning", async (role) => {
    await using running = await call(role);
    await connect(running);
    const { endpoint, openssl } = running;
    const sentBefore = endpoint.sent.length;
    openssl.type(role === "client" ? "r" : "R");
    await openssl.find(/no renegotiation/);
    expect(endpoint.sent.length - sentBefore).toBe(1);
  });
});

/** As OpenSSL prints it: the keys of client and server, then their salts (RFC 5764 §4.2). */
function keyingMaterial(role: DtlsRole, { localSrtp, remoteSrtp }: DtlsResult): string {
  const [client, server] = role === "client" ? [localSrtp, remoteSrtp] : [remoteSrtp, localSrtp];
  return Buffer.concat([client.key, server.key, client.salt, server.salt]).toString("hex").toUpperCase();
}
