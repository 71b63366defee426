import { describe, expect, test } from "vitest";
import {
  type AgentSettings,
  addAgent,
  candidate,
  IceWire,
  NOWHERE,
  OURS,
  PEER,
  readSent,
  seededRandom,
  start,
  THEIRS,
  US,
} from "../../../../test/support/ice-wire.ts";
import type { TransportAddress } from "../address.ts";
import { createIntegrityKey } from "../stun/message-integrity.ts";
import { StunWriter } from "../stun/stun-writer.ts";

/** Where a NAT puts a side that it has forgotten. */
const OUR_NEW = { address: "192.0.2.200", port: 44_000 };
const PEER_NEW = { address: "198.51.100.200", port: 55_000 };

type Setting = "lite peer" | "full peer" | "lite us";

function connect(setting: Setting, settings: AgentSettings = {}) {
  const wire = new IceWire();
  const isLite = setting === "lite us";
  const us = addAgent(wire, "us", { isLite, peerIsLite: setting === "lite peer", ...settings });
  const peer = addAgent(wire, "peer", { isLite: setting === "lite peer", peerIsLite: isLite });
  start(wire, us, peer);
  wire.advance(1_000);
  expect(us.agent.selected).toEqual(PEER);
  expect(peer.agent.selected).toEqual(US);
  return { wire, us, peer };
}

describe("consent", () => {
  test.each<Setting>(["lite peer", "full peer", "lite us"])("is kept for an hour: %s", (setting) => {
    const { wire, us, peer } = connect(setting);
    wire.advance(3_600_000);
    for (const each of [us, peer]) {
      expect(each.ends).toEqual([]);
      expect(each.selections).toHaveLength(1);
      expect(each.agent.stats.dropped).toBe(0);
    }
  });

  test("is asked for every 4 to 6 s, at random", () => {
    const { wire, us } = connect("lite peer");
    wire.sent.length = 0;
    wire.advance(600_000);
    const timesMs = wire.sent.filter((each) => each.from.port === US.port).map((each) => each.atMs);
    const gapsMs = timesMs.slice(1).map((atMs, i) => atMs - (timesMs[i] ?? 0));
    expect(Math.min(...gapsMs)).toBeGreaterThanOrEqual(4_000);
    expect(Math.max(...gapsMs)).toBeLessThanOrEqual(6_000);
    expect(Math.max(...gapsMs) - Math.min(...gapsMs)).toBeGreaterThan(1_000);
    expect(us.agent.stats.checksSent).toBe(us.agent.stats.responsesReceived);
  });

  test("expires 30 s after the last answer, and nothing is sent after it", () => {
    const { wire, us } = connect("lite peer");
    wire.advance(60_000);
    const lastAnswerMs =
      wire.sent.filter((each) => each.from.port === PEER.port).at(-1)!.atMs + wire.oneWayMs;
    wire.isLost = () => true;
    wire.advance(29_999 - (wire.nowMs - lastAnswerMs));
    expect(us.ends).toEqual([]);
    wire.advance(1);
    expect(us.ends).toEqual(["consent-expired"]);
    const count = wire.sent.length;
    wire.advance(60_000);
    expect(wire.sent).toHaveLength(count);
    expect(us.ends).toHaveLength(1);
  });

  test("is asked for twice a second while the peer does not answer", () => {
    const { wire, us } = connect("lite peer");
    wire.isLost = () => true;
    wire.sent.length = 0;
    wire.advance(20_000);
    const timesMs = wire.sent.filter((each) => each.from.port === US.port).map((each) => each.atMs);
    expect(timesMs.length).toBeGreaterThan(20);
    for (const [i, atMs] of timesMs.slice(1).entries()) expect(atMs - (timesMs[i] ?? 0)).toBe(500);
    const ids = timesMs.map((_, i) => Buffer.from(readSent(wire.sent[i]!).transactionId).toString("hex"));
    expect(new Set(ids).size).toBe(ids.length);
    wire.isLost = () => false;
    wire.advance(600);
    wire.sent.length = 0;
    wire.advance(3_000);
    expect(wire.sent.filter((each) => each.from.port === US.port)).toEqual([]);
    expect(us.ends).toEqual([]);
  });

  test("outlives a round trip that is longer than the wait for an answer", () => {
    const { wire, us } = connect("lite peer");
    wire.oneWayMs = 2_000;
    wire.advance(300_000);
    expect(us.ends).toEqual([]);
    expect(us.agent.rttMs).toBe(4_000);
  });

  test("of a lite agent expires 30 s after the peer's last check", () => {
    const { wire, us, peer } = connect("lite us");
    const lastCheckMs = wire.sent.filter((each) => each.from.port === PEER.port).at(-1)!.atMs + wire.oneWayMs;
    peer.agent.close();
    wire.advance(60_000);
    expect(us.ends).toEqual(["consent-expired"]);
    expect(us.endedAtMs).toBe(lastCheckMs + 30_000);
  });

  test("of a lite agent that hears nothing at all ends with no pair after 40 s", () => {
    const wire = new IceWire();
    const us = addAgent(wire, "us", { isLite: true });
    start(wire, us);
    wire.advance(60_000);
    expect(us.ends).toEqual(["no-pair"]);
    expect(us.endedAtMs).toBe(40_000);
    expect(wire.sent).toEqual([]);
  });

  test.each([0.05, 0.2, 0.3])("survives loss of %d for ten minutes", (loss) => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const { wire, us, peer } = connect("full peer", { seed });
      const random = seededRandom(seed);
      wire.isLost = () => (random(1)[0] ?? 0) < loss * 256;
      wire.advance(600_000);
      expect([us.ends, peer.ends]).toEqual([[], []]);
    }
  });
});

describe("when our NAT gives us another address", () => {
  test.each<Setting>(["lite peer", "full peer"])("the next check tells a %s", (setting) => {
    const { wire, us, peer } = connect(setting);
    us.address = OUR_NEW;
    wire.advance(6_000 + 100);
    expect(peer.agent.selected).toEqual(OUR_NEW);
    expect(us.selections).toEqual([PEER]);
    wire.advance(120_000);
    expect([us.ends, peer.ends]).toEqual([[], []]);
    expect(peer.agent.selected).toEqual(OUR_NEW);
  });

  test("while the path is down, it is found again within half a second of its return", () => {
    const { wire, us, peer } = connect("lite peer");
    wire.isLost = () => true;
    wire.advance(15_000);
    us.address = OUR_NEW;
    wire.isLost = () => false;
    wire.advance(500 + 2 * wire.oneWayMs);
    expect(peer.agent.selected).toEqual(OUR_NEW);
    wire.advance(60_000);
    expect(us.ends).toEqual([]);
  });
});

describe("when the peer's NAT gives it another address", () => {
  test("we control: its check from there is followed, and nominated when the old path stays silent", () => {
    const { wire, us, peer } = connect("full peer");
    peer.address = PEER_NEW;
    wire.advance(6_000 + 1_200);
    expect(us.selections).toEqual([PEER, PEER_NEW]);
    expect(us.peerAddresses).toEqual([PEER, PEER_NEW]);
    const toNew = wire.sent.filter((each) => each.to.port === PEER_NEW.port).map(readSent);
    expect(toNew.some((message) => message.useCandidate)).toBe(true);
    wire.advance(120_000);
    expect([us.ends, peer.ends]).toEqual([[], []]);
    expect(us.agent.selected).toEqual(PEER_NEW);
  });

  test("it controls, and does not know: its new address is taken once the old path stays silent", () => {
    const wire = new IceWire();
    const us = addAgent(wire, "us", { isControlling: false });
    const peer = addAgent(wire, "peer", { isControlling: true });
    start(wire, us, peer);
    wire.advance(1_000);
    peer.address = PEER_NEW;
    wire.advance(6_000 + 1_200);
    expect(us.selections).toEqual([PEER, PEER_NEW]);
    wire.advance(120_000);
    expect([us.ends, peer.ends]).toEqual([[], []]);
    expect(us.selections).toHaveLength(2);
  });

  test("and the old one back, both are followed", () => {
    for (const isControlling of [true, false]) {
      const wire = new IceWire();
      const us = addAgent(wire, "us", { isControlling });
      const peer = addAgent(wire, "peer", { isControlling: !isControlling });
      start(wire, us, peer);
      wire.advance(1_000);
      peer.address = PEER_NEW;
      wire.advance(20_000);
      peer.address = PEER;
      wire.advance(20_000);
      expect(us.selections).toEqual([PEER, PEER_NEW, PEER]);
      expect([us.ends, peer.ends]).toEqual([[], []]);
    }
  });

  test("we are lite: USE-CANDIDATE or the old address's silence moves us", () => {
    const { wire, us, peer } = connect("lite us");
    peer.address = PEER_NEW;
    wire.advance(13_000);
    expect(us.selections).toEqual([PEER, PEER_NEW]);
    expect(peer.ends).toEqual([]);
  });

  test("forty times over, the last 16 addresses are kept and the rest is told to be forgotten", () => {
    const { wire, us, peer } = connect("lite us");
    for (let port = 1; port <= 40; port += 1) {
      peer.address = { ...PEER_NEW, port };
      wire.advance(13_000);
      expect(us.agent.selected).toEqual(peer.address);
    }
    expect(us.peerAddresses).toHaveLength(41);
    expect(us.forgotten).toHaveLength(25);
    expect(us.agent.isPeerAddress({ ...PEER_NEW, port: 24 })).toBe(false);
    expect(us.agent.isPeerAddress({ ...PEER_NEW, port: 25 })).toBe(true);
    expect(us.agent.isPeerAddress(PEER)).toBe(false);
  });
});

test("a full agent follows forty new addresses of its peer within its bounds", () => {
  const { wire, us, peer } = connect("full peer");
  for (let port = 1; port <= 40; port += 1) {
    peer.address = { ...PEER_NEW, port };
    wire.advance(10_000);
    expect(us.agent.selected).toEqual(peer.address);
  }
  expect(us.ends).toEqual([]);
  expect(us.peerAddresses.length - us.forgotten.length).toBe(16);
});

test("a peer that nominates another valid pair is followed", () => {
  const wire = new IceWire();
  const us = addAgent(wire, "us", { isControlling: false, candidates: [candidate(NOWHERE)] });
  const peer = addAgent(wire, "peer", { isControlling: true });
  const other = addAgent(wire, "peer", { isControlling: true, seed: 9 });
  other.address = PEER_NEW;
  start(wire, us, peer);
  wire.advance(2_000);
  expect(us.agent.selected).toEqual(PEER);
  start(wire, other);
  wire.advance(2_000);
  expect(us.selections).toEqual([PEER, PEER_NEW]);
});

/** A peer that nominates whatever it checks, as RFC 5245 let it: one check per pair, `gapMs` apart, in this order. */
function nominateEach(settings: AgentSettings, gapMs: number, ...hosts: readonly TransportAddress[]) {
  const wire = new IceWire();
  const us = addAgent(wire, "us", { isControlling: false, ...settings });
  for (const address of hosts) addAnswering(wire, address);
  start(wire, us);
  wire.advance(500);
  for (const [i, from] of hosts.entries()) {
    const priority = from === BEST ? 3_000 : 1_000;
    us.receive(nominatingCheck(priority, i), from, wire.nowMs);
    wire.advance(gapMs);
  }
  return us;
}

/** An address of the controlling peer that answers checks and sends none. */
function addAnswering(wire: IceWire, address: TransportAddress): void {
  const host = addAgent(wire, "peer", {
    isLite: true,
    peerIsLite: true,
    isControlling: true,
    candidates: [],
  });
  host.address = address;
  start(wire, host);
}

function nominatingCheck(priority: number, seed: number): Uint8Array {
  const writer = new StunWriter();
  writer.begin("request", new Uint8Array(12).fill(seed));
  writer.username(Buffer.from(`${OURS.ufrag}:${THEIRS.ufrag}`));
  writer.priority(priority);
  writer.role(true, 0, 0);
  writer.useCandidate();
  return Uint8Array.from(writer.finish(createIntegrityKey(OURS.pwd)));
}

const BEST = { address: "198.51.100.3", port: 5_003 };
const WORSE = { address: "198.51.100.4", port: 5_004 };

describe.each([
  ["full", { candidates: [candidate(BEST, 3_000), candidate(WORSE, 1_000)] }],
  ["lite", { isLite: true }],
] as const)("of several pairs that the peer nominates, a %s agent takes", (_, settings) => {
  test("the best when it nominates them all at once, in whatever order", () => {
    expect(nominateEach(settings, 50, BEST, WORSE).agent.selected).toEqual(BEST);
    expect(nominateEach(settings, 50, WORSE, BEST).agent.selected).toEqual(BEST);
  });

  test("the latest when it changes its mind later", () => {
    expect(nominateEach(settings, 4_000, BEST, WORSE).agent.selected).toEqual(WORSE);
    expect(nominateEach(settings, 4_000, WORSE, BEST).agent.selected).toEqual(BEST);
  });

  test("the latest of equals at once", () => {
    const other = { ...WORSE, port: 5_005 };
    expect(nominateEach(settings, 50, WORSE, other).agent.selected).toEqual(other);
  });
});

test("a nomination that takes long to prove itself does not undo a later one", () => {
  const wire = new IceWire();
  const slow = { ...WORSE, port: 5_005 };
  const us = addAgent(wire, "us", { isControlling: false, candidates: [candidate(NOWHERE)] });
  for (const address of [slow, WORSE]) addAnswering(wire, address);
  start(wire, us);
  const held: Uint8Array[] = [];
  wire.isLost = ({ from, bytes }) => {
    if (from.port !== slow.port) return false;
    held.push(bytes);
    return true;
  };
  us.receive(nominatingCheck(1_000, 1), slow, wire.nowMs);
  wire.advance(100);
  us.receive(nominatingCheck(1_000, 2), WORSE, wire.nowMs);
  wire.advance(100);
  expect(us.agent.selected).toEqual(WORSE);
  for (const answer of held) us.receive(answer, slow, wire.nowMs);
  wire.advance(100);
  expect(us.agent.isPeerAddress(slow)).toBe(true);
  expect(us.selections).toEqual([WORSE]);
});

describe("when the selected path fails and the peer has another address", () => {
  const SIXTH = { address: "2001:db8::2", port: 5_000 };

  test.each([true, false])("the call moves there: lite peer %s", (peerIsLite) => {
    const wire = new IceWire();
    const us = addAgent(wire, "us", {
      peerIsLite,
      candidates: [candidate(SIXTH, 2_000_000_001), candidate(PEER)],
    });
    const fourth = addAgent(wire, "peer", { isLite: peerIsLite, candidates: [] });
    const sixth = addAgent(wire, "peer", { isLite: peerIsLite, candidates: [] });
    sixth.address = SIXTH;
    start(wire, us, fourth, sixth);
    wire.advance(20_000);
    expect(us.selections).toEqual([SIXTH]);
    expect(wire.sent.some(({ to }) => to.address === PEER.address)).toBe(false);
    wire.isLost = ({ from, to }) => from.address === SIXTH.address || to.address === SIXTH.address;
    wire.advance(9_000);
    expect(us.selections).toEqual([SIXTH, PEER]);
    expect(fourth.agent.selected).toEqual(US);
    wire.advance(60_000);
    expect(us.ends).toEqual([]);
    expect(us.selections).toHaveLength(2);
  });

  test("no other address is bothered for a lost check or two", () => {
    const wire = new IceWire();
    const us = addAgent(wire, "us", {
      peerIsLite: true,
      candidates: [candidate(PEER), candidate(NOWHERE, 1)],
    });
    start(wire, us, addAgent(wire, "peer", { isLite: true, candidates: [] }));
    wire.advance(1_000);
    let lost = 0;
    wire.isLost = ({ from }) => from.port === US.port && ++lost <= 2;
    wire.advance(60_000);
    expect(lost).toBeGreaterThan(2);
    expect(wire.sent.filter(({ to }) => to.port === NOWHERE.port)).toEqual([]);
  });
});

test("a consent that ran out while the program stood still is kept by an answer that was waiting", () => {
  const { wire, us, peer } = connect("full peer");
  const held: { bytes: Uint8Array; from: TransportAddress }[] = [];
  wire.isLost = ({ bytes, from }) => {
    if (from.port === PEER.port) held.push({ bytes, from });
    return from.port === PEER.port;
  };
  while (held.length === 0) wire.advance(100);
  // The peer's check has overtaken the answer.
  const check = wire.sent.find(
    ({ from, bytes }) => from.port === PEER.port && bytes[1] === 1 && bytes[0] === 0,
  );
  const nowMs = wire.nowMs + 31_000;
  us.receive(check!.bytes, PEER, nowMs);
  expect(us.ends).toEqual([]);
  for (const { bytes, from } of held) us.receive(bytes, from, nowMs);
  us.handleTimeout(nowMs);
  expect(us.ends).toEqual([]);
  us.handleTimeout(nowMs + 30_000);
  expect(us.ends).toEqual(["consent-expired"]);
  peer.agent.close();
});

test("a lite agent takes media to the first check's address, and then to the nominated one", () => {
  const wire = new IceWire();
  const us = addAgent(wire, "us", { isLite: true });
  const peer = addAgent(wire, "peer", { isControlling: true, peerIsLite: true });
  start(wire, us, peer);
  wire.advance(10);
  expect(us.selections).toEqual([PEER]);
  expect(wire.sent.map(readSent).some((message) => message.useCandidate)).toBe(false);
  wire.advance(1_000);
  expect(us.selections).toEqual([PEER]);
  expect(us.agent.rttMs).toBeNull();
  expect(us.agent.stats.checksSent).toBe(0);
});
