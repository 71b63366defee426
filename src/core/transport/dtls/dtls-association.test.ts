import { expect, test } from "vitest";
import { DtlsPair } from "../../../../test/support/dtls-pair.ts";

test("both sides connect in two round trips and agree on everything", () => {
  const pair = DtlsPair.connect();
  const [client] = pair.client.results;
  const [server] = pair.server.results;
  expect(pair.connectedAtMs).toBe(40);
  expect(pair.sent.map(({ from }) => from)).toEqual(["client", "server", "client", "server"]);
  expect(client).toEqual({ ...server, localSrtp: server?.remoteSrtp, remoteSrtp: server?.localSrtp });
  expect(client).toMatchObject({
    srtpProfile: "SRTP_AEAD_AES_128_GCM",
    cipherSuite: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    usesExtendedMasterSecret: true,
  });
});
