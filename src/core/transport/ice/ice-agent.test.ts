import { describe, expect, test } from "vitest";
import {
  addAgent,
  candidate,
  IceWire,
  NOWHERE,
  PEER,
  readSent,
  seededRandom,
  start,
  US,
} from "../../../../test/support/ice-wire.ts";
import type { TransportAddress } from "../address.ts";

const sendTimes = (wire: IceWire, to: TransportAddress): number[] =>
  wire.sent
    .filter((each) => each.to.port === to.port && each.to.address === to.address)
    .map((each) => each.atMs);

describe("toward a lite peer", () => {
  function connect() {
    const wire = new IceWire();
    const us = addAgent(wire, "us", { peerIsLite: true });
    const peer = addAgent(wire, "peer", { isLite: true, isControlling: false, candidates: [] });
    start(wire, peer, us);
    return { wire, us, peer };
  }

  test("the first check goes out in start, and the answer selects and nominates its pair", () => {
    const { wire, us, peer } = connect();
    expect(sendTimes(wire, PEER)).toEqual([0]);
    expect(us.agent.selected).toBeNull();
    expect(us.agent.rttMs).toBeNull();
    wire.advance(20);
    expect(us.selections).toEqual([PEER]);
    expect(us.peerAddresses).toEqual([PEER]);
    expect(us.agent.rttMs).toBe(20);
    expect(peer.selections).toEqual([US]);
    const checks = wire.sent.filter((each) => each.from === US || each.from.port === US.port).map(readSent);
    expect(checks.map((check) => check.useCandidate)).toEqual([false, true]);
    expect(checks.map((check) => check.role)).toEqual(["controlling", "controlling"]);
    wire.advance(1_000);
    expect(us.agent.stats).toEqual({ checksSent: 2, checksReceived: 0, responsesReceived: 2, dropped: 0 });
    expect(peer.agent.stats).toEqual({ checksSent: 0, checksReceived: 2, responsesReceived: 0, dropped: 0 });
  });

  test("we control, whatever the options say", () => {
    const wire = new IceWire();
    addAgent(wire, "us", { peerIsLite: true, isControlling: false }).agent.start(0);
    expect(readSent(wire.sent[0]!).role).toBe("controlling");
  });

  test("nothing is sent or taken before start", () => {
    const wire = new IceWire();
    const us = addAgent(wire, "us");
    const peer = addAgent(wire, "peer");
    start(wire, peer);
    wire.advance(2_000);
    expect(us.agent.deadlineMs).toBe(Number.POSITIVE_INFINITY);
    expect(us.agent.stats).toEqual({ checksSent: 0, checksReceived: 0, responsesReceived: 0, dropped: 3 });
    expect(us.agent.isPeerAddress(PEER)).toBe(false);
    start(wire, us);
    wire.advance(100);
    expect(us.agent.selected).toEqual(PEER);
  });
});

describe("toward a full peer", () => {
  test("both sides connect, and the controlled one follows the nomination", () => {
    const wire = new IceWire();
    const [us, peer] = [addAgent(wire, "us"), addAgent(wire, "peer")];
    start(wire, us, peer);
    wire.advance(200);
    expect(us.selections).toEqual([PEER]);
    expect(peer.selections).toEqual([US]);
    expect(us.agent.isPeerAddress({ ...PEER })).toBe(true);
    expect(us.agent.isPeerAddress({ ...PEER, port: PEER.port + 1 })).toBe(false);
    expect(us.agent.isPeerAddress({ ...PEER, address: NOWHERE.address })).toBe(false);
    const fromPeer = wire.sent.filter((each) => each.from.port === PEER.port).map(readSent);
    expect(fromPeer.some((message) => message.useCandidate)).toBe(false);
  });

  test("an address that its SDP does not name is learned from its check", () => {
    const wire = new IceWire();
    const us = addAgent(wire, "us", { candidates: [] });
    const peer = addAgent(wire, "peer");
    start(wire, us, peer);
    wire.advance(500);
    expect(us.selections).toEqual([PEER]);
    expect(peer.selections).toEqual([US]);
  });

  test("the controlled side may be the one without a candidate of the peer", () => {
    const wire = new IceWire();
    const us = addAgent(wire, "us");
    const peer = addAgent(wire, "peer", { candidates: [candidate(NOWHERE)] });
    start(wire, us, peer);
    wire.advance(500);
    expect(us.selections).toEqual([PEER]);
    expect(peer.selections).toEqual([US]);
  });

  test("a 1:1 NAT before us changes nothing", () => {
    const wire = new IceWire();
    const mapped = { address: "203.0.113.77", port: 41_000 };
    const us = addAgent(wire, "us");
    us.address = mapped;
    const peer = addAgent(wire, "peer", { candidates: [candidate(mapped)] });
    start(wire, us, peer);
    wire.advance(200);
    expect(us.selections).toEqual([PEER]);
    expect(peer.selections).toEqual([mapped]);
  });

  test.each([0.1, 0.3, 0.5])("loss of %d is overcome", (loss) => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const wire = new IceWire();
      const random = seededRandom(seed * 77);
      wire.isLost = () => (random(1)[0] ?? 0) < loss * 256;
      const [us, peer] = [addAgent(wire, "us", { seed }), addAgent(wire, "peer", { seed: seed + 1_000 })];
      start(wire, us, peer);
      wire.advance(25_000);
      for (const each of [us, peer]) expect(each.ends).toEqual([]);
      expect(us.agent.selected).toEqual(PEER);
      expect(peer.agent.selected).toEqual(US);
    }
  });
});

describe("two that both control, or neither", () => {
  test.each([
    [true, 1, 2],
    [true, 2, 1],
    [false, 1, 2],
    [false, 2, 1],
  ])(
    "controlling %s, seeds %d and %d: they agree by the tie-breakers",
    (isControlling, ourSeed, peerSeed) => {
      const wire = new IceWire();
      const us = addAgent(wire, "us", { isControlling, seed: ourSeed });
      const peer = addAgent(wire, "peer", { isControlling, seed: peerSeed });
      start(wire, us);
      wire.advance(3);
      start(wire, peer);
      wire.advance(2_000);
      expect(us.selections).toEqual([PEER]);
      expect(peer.selections).toEqual([US]);
      const errors = wire.sent.map(readSent).filter((message) => message.messageClass === "error");
      expect(errors.length).toBeLessThanOrEqual(2);
      for (const error of errors) expect(error.errorCode).toBe(487);
      wire.sent.length = 0;
      wire.advance(20_000);
      const roles = new Set(
        wire.sent
          .map((each) => ({ from: each.from.port, role: readSent(each).role }))
          .filter((each) => each.role !== null)
          .map((each) => `${each.from} ${each.role}`),
      );
      expect(roles.size).toBe(2);
      expect([...roles].filter((each) => each.endsWith("controlling"))).toHaveLength(1);
    },
  );

  test("a 487 gives the new checks the other role and a new tie-breaker", () => {
    const wire = new IceWire();
    const us = addAgent(wire, "us", { isControlling: true, seed: 1 });
    const peer = addAgent(wire, "peer", { isControlling: true, candidates: [], seed: 2 });
    start(wire, us, peer);
    wire.advance(1_000);
    const checks = wire.sent.filter((each) => each.from.port === US.port).map(readSent);
    const asked = checks.filter((check) => check.messageClass === "request");
    const [first, second] = asked;
    const isRefused = wire.sent.map(readSent).some((message) => message.errorCode === 487);
    if (isRefused) {
      expect([first?.role, second?.role]).toEqual(["controlling", "controlled"]);
      expect(second?.tieBreakerHigh).not.toBe(first?.tieBreakerHigh);
    } else {
      expect(asked.every((check) => check.role === "controlling")).toBe(true);
    }
    expect(us.agent.selected).toEqual(PEER);
    expect(peer.agent.selected).toEqual(US);
  });
});

describe("the timing of checks", () => {
  test("a check is sent again after half a second, then every second, and given up after 39.5 s", () => {
    const wire = new IceWire();
    const us = addAgent(wire, "us", { peerIsLite: true, candidates: [candidate(NOWHERE)] });
    start(wire, us);
    wire.advance(60_000);
    expect(sendTimes(wire, NOWHERE)).toEqual([0, ...Array.from({ length: 32 }, (_, i) => 500 + i * 1_000)]);
    expect(new Set(wire.sent.map((each) => Buffer.from(each.bytes).toString("hex"))).size).toBe(1);
    expect(us.ends).toEqual(["no-pair"]);
    expect(us.endedAtMs).toBe(39_500);
    expect(us.agent.deadlineMs).toBe(Number.POSITIVE_INFINITY);
  });

  test("a full peer may still be learned of, until 40 s", () => {
    const wire = new IceWire();
    const us = addAgent(wire, "us", { candidates: [candidate(NOWHERE)] });
    start(wire, us);
    wire.advance(60_000);
    expect(us.ends).toEqual(["no-pair"]);
    expect(us.endedAtMs).toBe(40_000);
  });

  test.each([
    ["lite", true],
    ["full", false],
  ])("without a usable candidate a %s peer's checks are waited for until 40 s", (_, peerIsLite) => {
    const wire = new IceWire();
    const us = addAgent(wire, "us", { peerIsLite, candidates: [] });
    start(wire, us);
    wire.advance(60_000);
    expect(wire.sent).toEqual([]);
    expect(us.endedAtMs).toBe(40_000);
  });

  test("pairs are checked best first, 50 ms apart, and each is retransmitted on its own", () => {
    const wire = new IceWire();
    const at = (port: number) => ({ address: NOWHERE.address, port });
    const us = addAgent(wire, "us", {
      candidates: [candidate(at(3), 3), candidate(at(1), 1), candidate(at(2), 2)],
    });
    start(wire, us);
    wire.advance(1_000);
    expect(wire.sent.map((each) => [each.atMs, each.to.port])).toEqual([
      [0, 3],
      [50, 2],
      [100, 1],
      [500, 3],
      [550, 2],
      [600, 1],
    ]);
  });

  test("an address that the system cannot send to delays no other, and is tried again", () => {
    const wire = new IceWire();
    const at = (port: number) => ({ address: NOWHERE.address, port });
    const us = addAgent(wire, "us", { candidates: [3, 2, 1].map((port) => candidate(at(port), port)) });
    us.agent.onSendFailed(at(3), 0);
    start(wire, us);
    wire.advance(10);
    us.agent.onSendFailed(at(3), 10);
    us.agent.onSendFailed(at(4), 10);
    wire.advance(1_000);
    us.agent.onSendFailed(at(3), wire.nowMs);
    expect(wire.sent.map((each) => [each.atMs, each.to.port])).toEqual([
      [0, 3],
      [10, 2],
      [60, 1],
      [500, 3],
      [510, 2],
      [560, 1],
    ]);
    expect(us.ends).toEqual([]);
  });

  test("a late timer sends one check, not all that it missed", () => {
    const wire = new IceWire();
    const at = (port: number) => ({ address: NOWHERE.address, port });
    const us = addAgent(wire, "us", { candidates: [1, 2, 3].map((port) => candidate(at(port), port)) });
    start(wire, us);
    wire.nowMs = 10_000;
    us.handleTimeout(10_000);
    expect(wire.sent.map((each) => each.to.port)).toEqual([3, 3, 2]);
  });

  test("handling a timeout that is not due does nothing", () => {
    const wire = new IceWire();
    const us = addAgent(wire, "us");
    start(wire, us);
    for (let nowMs = 0; nowMs < 499; nowMs += 7) us.handleTimeout(nowMs);
    expect(wire.sent).toHaveLength(1);
    expect(us.agent.deadlineMs).toBe(500);
  });

  test("a second start does nothing", () => {
    const wire = new IceWire();
    const us = addAgent(wire, "us");
    start(wire, us, us);
    expect(wire.sent).toHaveLength(1);
  });
});

describe("nomination", () => {
  const GOOD = { address: "198.51.100.2", port: 5_000 };
  const BETTER = { address: "2001:db8::2", port: 5_000 };

  /** A lite peer at two addresses, the better one slow by `extraMs`. */
  function race(extraMs: number) {
    const wire = new IceWire();
    const us = addAgent(wire, "us", {
      peerIsLite: true,
      candidates: [candidate(GOOD, 1_000), candidate(BETTER, 2_000)],
    });
    const good = addAgent(wire, "peer", { isLite: true, isControlling: false, candidates: [] });
    const better = addAgent(wire, "peer", { isLite: true, isControlling: false, candidates: [] });
    better.address = BETTER;
    start(wire, good, better, us);
    const late: { atMs: number; bytes: Uint8Array }[] = [];
    wire.isLost = ({ from, bytes, atMs }) => {
      const isLate = from.address === BETTER.address;
      if (isLate) late.push({ atMs: atMs + extraMs, bytes });
      return isLate;
    };
    /** Lets time pass, in steps, with the slow answers in their place. */
    const advance = (ms: number) => {
      for (const endMs = wire.nowMs + ms; wire.nowMs < endMs; ) {
        wire.advance(1);
        for (const { bytes } of late.filter((each) => each.atMs + wire.oneWayMs === wire.nowMs)) {
          us.receive(bytes, BETTER, wire.nowMs);
        }
      }
    };
    return { wire, us, advance };
  }

  const nominated = (wire: IceWire) =>
    wire.sent.filter((each) => readSent(each).useCandidate).map((each) => [each.atMs, each.to.address]);

  test("the best pair, answering first, is nominated at once", () => {
    const { wire, us, advance } = race(5);
    advance(400);
    expect(us.selections).toEqual([BETTER]);
    expect(nominated(wire)).toEqual([[25, BETTER.address]]);
    expect(sendTimes(wire, GOOD)).toEqual([]);
  });

  test("a valid pair is nominated when a better one has not answered in time, and stays", () => {
    const { wire, us, advance } = race(200);
    advance(400);
    expect(us.selections).toEqual([GOOD]);
    expect(nominated(wire)).toEqual([[70, GOOD.address]]);
    expect(us.agent.isPeerAddress(BETTER)).toBe(true);
  });

  test("an error answer fails the pair, and the next one is nominated", () => {
    const wire = new IceWire();
    const us = addAgent(wire, "us", {
      peerIsLite: true,
      candidates: [candidate(GOOD, 1_000), candidate(BETTER, 2_000)],
    });
    const good = addAgent(wire, "peer", { isLite: true, isControlling: false, candidates: [] });
    // Another one with the same password, that thinks it controls: it refuses with 487 and the role is fixed.
    const better = addAgent(wire, "peer", {
      isLite: true,
      isControlling: true,
      peerIsLite: true,
      candidates: [],
    });
    better.address = BETTER;
    start(wire, good, better, us);
    wire.advance(300);
    expect(us.selections).toEqual([GOOD]);
    expect(wire.sent.map(readSent).filter((message) => message.errorCode === 487)).toHaveLength(1);
    expect(nominated(wire)).toEqual([[70, GOOD.address]]);
  });
});
