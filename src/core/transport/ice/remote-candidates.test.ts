import fc from "fast-check";
import { expect, test } from "vitest";
import type { IceCandidate } from "../../sdp/model.ts";
import { CandidatePair, comparePairs, localPriority } from "./candidate-pair.ts";
import { usableCandidates } from "./remote-candidates.ts";

const HOST: IceCandidate = {
  foundation: "1",
  componentId: 1,
  transport: "udp",
  priority: 2_122_260_223,
  address: "192.0.2.1",
  port: 3_480,
  type: "host",
};

const addresses = (candidates: readonly Partial<IceCandidate>[], versions: readonly (4 | 6)[] = [4, 6]) =>
  usableCandidates(
    candidates.map((each) => ({ ...HOST, ...each })),
    versions,
  ).map(({ at }) => `${at.address} ${at.port}`);

test.each<[string, Partial<IceCandidate>]>([
  ["of RTCP", { componentId: 2 }],
  ["over TCP", { transport: "tcp" }],
  ["with a host name", { address: "example.com" }],
  ["with an mDNS name", { address: "0b5d1d1e.local" }],
  ["with the unspecified address", { address: "0.0.0.0" }],
  ["with the unspecified IPv6 address", { address: "::" }],
  ["with a group", { address: "239.1.2.3" }],
  ["with an IPv6 group", { address: "FF02::1" }],
  ["with everybody", { address: "255.255.255.255" }],
  ["with port 0", { port: 0 }],
  ["with no port", { port: 70_000 }],
])("a candidate %s is passed over", (_, candidate) => {
  expect(addresses([candidate, {}])).toEqual(["192.0.2.1 3480"]);
});

test("candidates are in the order of their priorities, in one spelling, each once", () => {
  expect(
    addresses([
      { priority: 1, address: "2001:DB8:0::1" },
      { priority: 3, address: "2001:db8::1" },
      { priority: 2, address: "::ffff:192.0.2.9" },
      { priority: 0, port: 1, type: "relay" },
    ]),
  ).toEqual(["2001:db8::1 3480", "192.0.2.9 3480", "192.0.2.1 1"]);
});

test("only versions that we have a socket for are used", () => {
  const both = [{ address: "2001:db8::1" }, {}];
  expect(addresses(both, [4])).toEqual(["192.0.2.1 3480"]);
  expect(addresses(both, [6])).toEqual(["2001:db8::1 3480"]);
  expect(addresses(both, [])).toEqual([]);
});

test("of many candidates the best 20 are used", () => {
  const many = Array.from({ length: 50 }, (_, i) => ({ priority: i, port: 1_000 + i }));
  expect(addresses(many)).toHaveLength(20);
  expect(addresses(many)[0]).toBe("192.0.2.1 1049");
});

test("pairs are ordered as RFC 8445 §6.1.2.3 computes it", () => {
  const at = { address: "192.0.2.1", port: 1 };
  const priority = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 2 ** 31 - 1 }));
  const formula = (pair: CandidatePair, isControlling: boolean): bigint => {
    const [g, d] = isControlling
      ? [pair.localPriority, pair.remotePriority]
      : [pair.remotePriority, pair.localPriority];
    return (BigInt(Math.min(g, d)) << 32n) + 2n * BigInt(Math.max(g, d)) + (g > d ? 1n : 0n);
  };
  fc.assert(
    fc.property(priority, priority, priority, priority, fc.boolean(), (l1, r1, l2, r2, isControlling) => {
      const a = new CandidatePair(at, l1, r1, false);
      const b = new CandidatePair(at, l2, r2, false);
      const difference = formula(b, isControlling) - formula(a, isControlling);
      expect(Math.sign(comparePairs(a, b, isControlling))).toBe(
        difference < 0n ? -1 : difference > 0n ? 1 : 0,
      );
    }),
  );
});

test("our own priorities are those of RFC 8445 §5.1.2, IPv6 before IPv4", () => {
  expect(localPriority("host", 6)).toBe(2_130_706_431);
  expect(localPriority("host", 4)).toBe(2_130_706_175);
  expect(localPriority("prflx", 6)).toBe(1_862_270_975);
});
