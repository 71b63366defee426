import { expect, test } from "vitest";
import { SRTP_KEY_BYTES } from "../srtp/srtp-profile.ts";
import { CIPHER_SUITES, type CipherSuite } from "./cipher-suites.ts";
import { KeySchedule } from "./key-schedule.ts";
import { prf } from "./prf.ts";

const PREMASTER = new Uint8Array(32).fill(1);
const RANDOMS = { client: new Uint8Array(32).fill(2), server: new Uint8Array(32).fill(3) };
const SESSION_HASH = new Uint8Array(32).fill(4);
const DATA = Buffer.from("data");

function schedule(suite: CipherSuite, sessionHash: Uint8Array | null = SESSION_HASH): KeySchedule {
  return new KeySchedule(suite, PREMASTER, RANDOMS, sessionHash);
}

test.each(CIPHER_SUITES)("$name: what one side seals the other one opens, and not itself", (suite) => {
  const client = schedule(suite).recordCiphers("client");
  const server = schedule(suite).recordCiphers("server");
  const fromClient = client.write.seal(23, 1, 5, DATA);
  expect(server.read.open(23, 1, 5, fromClient)).toEqual(DATA);
  expect(client.read.open(23, 1, 5, fromClient)).toBeNull();
  expect(client.read.open(23, 1, 5, server.write.seal(23, 1, 5, DATA))).toEqual(DATA);
});

test.each(CIPHER_SUITES)(
  "$name: the Finished of both sides differ, and depend on the transcript",
  (suite) => {
    const keys = schedule(suite);
    const client = keys.verifyData("client", DATA);
    expect(client).toHaveLength(12);
    expect(keys.verifyData("server", DATA)).not.toEqual(client);
    expect(keys.verifyData("client", Buffer.from("other"))).not.toEqual(client);
    expect(schedule(suite).verifyData("client", DATA)).toEqual(client);
  },
);

test("extended master secret and the old one lead to different keys", () => {
  const [suite] = CIPHER_SUITES;
  const keys = (sessionHash: Uint8Array | null) => schedule(suite!, sessionHash).verifyData("client", DATA);
  expect(keys(null)).not.toEqual(keys(SESSION_HASH));
});

test.each(["SRTP_AEAD_AES_128_GCM", "SRTP_AES128_CM_HMAC_SHA1_80"] as const)(
  "%s: the exported block is client's key, server's key, client's salt, server's salt",
  (profile) => {
    const suite = CIPHER_SUITES[0]!;
    const randoms = Buffer.concat([RANDOMS.client, RANDOMS.server]);
    const master = prf(suite.prfHash, PREMASTER, "extended master secret", SESSION_HASH, 48);
    const { key, salt } = SRTP_KEY_BYTES[profile];
    const block = prf(suite.prfHash, master, "EXTRACTOR-dtls_srtp", randoms, 2 * (key + salt));
    const client = { key: block.subarray(0, key), salt: block.subarray(2 * key, 2 * key + salt) };
    const server = { key: block.subarray(key, 2 * key), salt: block.subarray(2 * key + salt) };
    expect(schedule(suite).srtpKeys(profile, "client")).toEqual({ localSrtp: client, remoteSrtp: server });
    expect(schedule(suite).srtpKeys(profile, "server")).toEqual({ localSrtp: server, remoteSrtp: client });
  },
);
