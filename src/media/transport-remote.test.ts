import { describe, expect, test } from "vitest";
import type { AudioDescription, IceCandidate } from "../core/sdp/model.ts";
import { offererRole, readTransportRemote } from "./transport-remote.ts";

const candidate: IceCandidate = {
  foundation: "1",
  componentId: 1,
  transport: "udp",
  priority: 2_130_706_431,
  address: "31.13.65.130",
  port: 3480,
  type: "host",
};

const description: AudioDescription = {
  mid: "audio",
  iceUfrag: "SJJX",
  icePwd: "sFDA3KtvPb8Qd+yv/1Ab3A==",
  iceLite: true,
  fingerprints: [{ algorithm: "sha-256", value: "AB" }],
  setup: "actpass",
  candidates: [candidate],
  opus: { payloadType: 111, parameters: "" },
  telephoneEvent: null,
  ssrc: null,
};

function addresses(candidates: readonly IceCandidate[], ipVersions: readonly (4 | 6)[] = [4, 6]): string[] {
  const remote = readTransportRemote({ ...description, candidates }, ipVersions);
  return remote.addresses.map(({ address, port }) => `${address} ${port}`);
}

describe("of the peer's SDP", () => {
  test("only candidates that a socket of ours can reach are taken, spelled as sockets do", () => {
    const sixth = { ...candidate, address: "2A03:2880:0:0::1" };
    const candidates = [
      { ...candidate, componentId: 2 },
      { ...candidate, transport: "tcp" as const },
      { ...candidate, port: 0 },
      { ...candidate, address: "4f1c2a.local" },
      sixth,
      { ...candidate, address: "::ffff:192.0.2.7" },
      candidate,
    ];
    const fourth = ["192.0.2.7 3480", "31.13.65.130 3480"];
    expect(addresses(candidates)).toEqual(["2a03:2880::1 3480", ...fourth]);
    expect(addresses(candidates, [4])).toEqual(fourth);
  });

  test("no more than 20 candidates are taken", () => {
    expect(addresses(Array.from({ length: 50 }, (_, i) => ({ ...candidate, port: 4000 + i })))).toHaveLength(
      20,
    );
  });

  test("fingerprints of broken hashes are passed over, and there must be another", () => {
    const weak = { algorithm: "sha-1", value: "CD" };
    const strong = { algorithm: "SHA-384", value: "EF" };
    const remote = readTransportRemote({ ...description, fingerprints: [weak, strong] }, [4]);
    expect(remote.fingerprints).toEqual([strong]);
    expect(() => readTransportRemote({ ...description, fingerprints: [weak] }, [4])).toThrow(
      expect.objectContaining({ code: "MEDIA_ENGINE_FAILED" }),
    );
  });
});

test.each([
  ["active", "server"],
  ["passive", "client"],
] as const)("an answer with setup:%s makes the offerer the DTLS %s", (answered, role) => {
  expect(offererRole(answered)).toBe(role);
});

test("an answer that leaves the choice to the offerer is refused", () => {
  expect(() => offererRole("actpass")).toThrow("setup:active or setup:passive");
});
