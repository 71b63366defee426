import { expect, test } from "vitest";
import type { IceCandidate } from "../../../src/core/sdp/model.ts";
import { readLocalAnswer, toCandidateLine, withPublicAddress } from "./local.ts";

const answer = [
  "v=0",
  "a=fingerprint:sha-256 b7:f3:8a",
  "m=audio 37362 UDP/TLS/RTP/SAVPF 111",
  "a=setup:active",
  "a=ice-ufrag:yeSU",
  "a=ice-pwd:WamrdqjpTpWL3dCkcz+iZd",
  "a=candidate:2 1 UDP 2116026111 fd00::2 51814 typ host",
  "a=candidate:1 1 UDP 2114977791 192.0.2.2 51814 typ host",
  "a=candidate:3 1 TCP 2114977791 192.0.2.2 9 typ host tcptype active",
  "a=end-of-candidates",
].join("\r\n");

const candidate: IceCandidate = {
  foundation: "1",
  componentId: 1,
  transport: "udp",
  priority: 2114977791,
  address: "192.0.2.2",
  port: 51814,
  type: "host",
};

test("our parameters are read from libdatachannel's answer", () => {
  expect(readLocalAnswer(answer)).toEqual({
    iceUfrag: "yeSU",
    icePwd: "WamrdqjpTpWL3dCkcz+iZd",
    sha256Fingerprint: "B7:F3:8A",
    setup: "active",
    candidates: [{ ...candidate, foundation: "2", priority: 2116026111, address: "fd00::2" }, candidate],
  });
});

test.each(["a=setup:active", "a=ice-ufrag:yeSU", "a=fingerprint:sha-256 b7:f3:8a"])(
  "an answer without %s is unusable",
  (line) => {
    expect(readLocalAnswer(answer.replace(line, "a=x"))).toBeNull();
  },
);

test("a public address takes the place of our own ones of its family, once per port", () => {
  const own = [
    candidate,
    { ...candidate, address: "10.0.0.5" },
    { ...candidate, address: "fd00::2" },
    { ...candidate, port: 6000 },
  ];
  expect(withPublicAddress(own, "203.0.113.7").map(({ address, port }) => [address, port])).toEqual([
    ["203.0.113.7", 51814],
    ["fd00::2", 51814],
    ["203.0.113.7", 6000],
  ]);
});

test("a candidate is written as RFC 8839 has it", () => {
  expect(toCandidateLine(candidate)).toBe("a=candidate:1 1 UDP 2114977791 192.0.2.2 51814 typ host");
});
