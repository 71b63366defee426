import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RFC5769_IPV4_RESPONSE, RFC5769_REQUEST } from "../../../../test/fixtures/stun/samples.ts";
import {
  type AgentHost,
  addAgent,
  IceWire,
  NOWHERE,
  OURS,
  PEER,
  readSent,
  start,
  THEIRS,
  US,
} from "../../../../test/support/ice-wire.ts";
import type { TransportAddress } from "../address.ts";
import { createIntegrityKey } from "../stun/message-integrity.ts";
import type { StunClass } from "../stun/stun-format.ts";
import { StunWriter } from "../stun/stun-writer.ts";

const OUR_KEY = createIntegrityKey(OURS.pwd);
const THEIR_KEY = createIntegrityKey(THEIRS.pwd);
const WRONG_KEY = createIntegrityKey("a-password-of-nobody-here");
const TRANSACTION = new Uint8Array(12).fill(3);

/** Writes one message. `key` null: without integrity. */
function build(
  messageClass: StunClass,
  id: Uint8Array,
  fill: (w: StunWriter) => void,
  key: typeof OUR_KEY | null,
) {
  const writer = new StunWriter();
  writer.begin(messageClass, id);
  fill(writer);
  return Uint8Array.from(writer.finish(key));
}

const USERNAME = Buffer.from("ours:them");

function check(key: typeof OUR_KEY | null = OUR_KEY, username: Uint8Array = USERNAME): Uint8Array {
  return build(
    "request",
    TRANSACTION,
    (writer) => {
      writer.username(username);
      writer.priority(1);
      writer.role(false, 0, 0);
    },
    key,
  );
}

/** A message with its FINGERPRINT cut off. */
function withoutFingerprint(datagram: Uint8Array): Uint8Array {
  const cut = datagram.slice(0, datagram.length - 8);
  cut[3] = cut.length - 20;
  return cut;
}

/** What a datagram may not change before it is authenticated. */
function stateOf({ agent, selections, peerAddresses, ends }: AgentHost) {
  const counts = { ...agent.stats, dropped: 0 };
  return JSON.stringify([
    counts,
    agent.selected,
    agent.rttMs,
    agent.deadlineMs,
    selections,
    peerAddresses,
    ends,
  ]);
}

/** Agents in all the states that a datagram may find them in. */
function agents(): readonly (readonly [string, IceWire, AgentHost])[] {
  const make = (settings: Parameters<typeof addAgent>[2], advanceMs: number, withPeer: boolean) => {
    const wire = new IceWire();
    const us = addAgent(wire, "us", settings);
    const peer = addAgent(wire, "peer", { peerIsLite: settings?.isLite ?? false });
    start(wire, us, ...(withPeer ? [peer] : []));
    wire.advance(advanceMs);
    return [wire, us] as const;
  };
  return [
    ["checking", ...make({}, 100, false)],
    ["connected", ...make({}, 3_000, true)],
    ["lite and waiting", ...make({ isLite: true }, 100, false)],
    ["lite and connected", ...make({ isLite: true }, 3_000, true)],
  ];
}

describe("bytes from anywhere", () => {
  test.each(agents())("never throw and change nothing: %s", (_, wire, us) => {
    const before = stateOf(us);
    const own = wire.sent.find((each) => each.from.port === US.port)?.bytes ?? check(THEIR_KEY);
    const known = [RFC5769_REQUEST, RFC5769_IPV4_RESPONSE, check(WRONG_KEY), own];
    const mutated = fc
      .tuple(fc.constantFrom(...known), fc.nat(120), fc.uint8Array({ minLength: 1, maxLength: 8 }))
      .map(([bytes, at, patch]) => {
        const copy = Uint8Array.from(bytes);
        copy.set(patch.subarray(0, Math.max(0, copy.length - at)), Math.min(at, copy.length));
        return copy;
      });
    const from = fc.constantFrom(PEER, NOWHERE, { address: "::1", port: 0 }, { address: "", port: -1 });
    let fed = us.agent.stats.dropped;
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), from, (bytes, at) => {
        wire.sent.length = 0;
        us.receive(bytes, at, wire.nowMs);
        fed += 1;
        expect(stateOf(us)).toBe(before);
        for (const answer of wire.sent) expect(answer.bytes.length).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 500 },
    );
    expect(us.agent.stats.dropped).toBe(fed);
  });

  test.each(agents())("every prefix of every message is dropped: %s", (_, wire, us) => {
    const before = stateOf(us);
    for (const datagram of [RFC5769_REQUEST, RFC5769_IPV4_RESPONSE, check()]) {
      for (let length = 0; length < datagram.length; length += 1) {
        us.receive(datagram.subarray(0, length), PEER, wire.nowMs);
      }
    }
    expect(stateOf(us)).toBe(before);
  });

  test("a single flipped bit of a good check or answer is refused", () => {
    const wire = new IceWire();
    const us = addAgent(wire, "us");
    start(wire, us);
    const before = stateOf(us);
    const answer = build(
      "success",
      readSent(wire.sent[0]!).transactionId,
      (w) => w.xorMappedAddress(US),
      THEIR_KEY,
    );
    for (const datagram of [check(), answer]) {
      for (let bit = 0; bit < datagram.length * 8; bit += 1) {
        const broken = Uint8Array.from(datagram);
        broken[bit >> 3]! ^= 1 << (bit & 7);
        us.receive(broken, PEER, 1);
      }
    }
    expect(stateOf(us)).toBe(before);
    us.receive(answer, PEER, 20);
    expect(us.agent.selected).toEqual(PEER);
  });
});

describe("an answer", () => {
  function asked() {
    const wire = new IceWire();
    const us = addAgent(wire, "us");
    start(wire, us);
    const id = Uint8Array.from(readSent(wire.sent[0]!).transactionId);
    return { wire, us, id };
  }
  const mapped = (writer: StunWriter) => writer.xorMappedAddress(US);

  test.each<[string, (id: Uint8Array) => Uint8Array, TransportAddress]>([
    ["under a wrong password", (id) => build("success", id, mapped, WRONG_KEY), PEER],
    ["under our own password", (id) => build("success", id, mapped, OUR_KEY), PEER],
    ["without integrity", (id) => build("success", id, mapped, null), PEER],
    ["to nothing that was asked", () => build("success", TRANSACTION, mapped, THEIR_KEY), PEER],
    ["from another address", (id) => build("success", id, mapped, THEIR_KEY), NOWHERE],
    ["from another port", (id) => build("success", id, mapped, THEIR_KEY), { ...PEER, port: 1 }],
    ["without XOR-MAPPED-ADDRESS", (id) => build("success", id, () => {}, THEIR_KEY), PEER],
    ["that is an error without integrity", (id) => build("error", id, (w) => w.errorCode(400), null), PEER],
    ["that is an error without a code", (id) => build("error", id, () => {}, THEIR_KEY), PEER],
  ])("%s is dropped, and the right one still counts", (_, wrong, from) => {
    const { us, id } = asked();
    const before = stateOf(us);
    us.receive(wrong(id), from, 5);
    expect(stateOf(us)).toBe(before);
    expect(us.agent.stats.dropped).toBe(1);
    us.receive(build("success", id, mapped, THEIR_KEY), PEER, 6);
    expect(us.agent.selected).toEqual(PEER);
  });

  test("counts once", () => {
    const { us, id } = asked();
    const answer = build("success", id, mapped, THEIR_KEY);
    us.receive(answer, PEER, 5);
    us.receive(answer, PEER, 6);
    expect(us.agent.stats).toMatchObject({ responsesReceived: 1, dropped: 1 });
  });

  test("that refuses again and again ends the role switches", () => {
    const { wire, us } = asked();
    let answered = 0;
    for (let round = 0; round < 400; round += 1) {
      for (const each of wire.sent.splice(0)) {
        const id = Uint8Array.from(readSent(each).transactionId);
        answered += 1;
        us.receive(
          build("error", id, (w) => w.errorCode(487), THEIR_KEY),
          PEER,
          wire.nowMs,
        );
      }
      wire.advance(50);
    }
    expect(answered).toBe(9);
    wire.advance(40_000);
    expect(us.ends).toEqual(["no-pair"]);
  });
});

describe("a request", () => {
  const requests: readonly [string, Uint8Array, number | null][] = [
    ["without USERNAME", build("request", TRANSACTION, (w) => w.priority(1), OUR_KEY), 400],
    ["without MESSAGE-INTEGRITY", check(null), 400],
    ["without PRIORITY", build("request", TRANSACTION, (w) => w.username(USERNAME), OUR_KEY), 400],
    ["without FINGERPRINT", withoutFingerprint(check()), null],
    ["under a wrong password", check(WRONG_KEY), 401],
    ["for another ufrag", check(OUR_KEY, Buffer.from("them:ours")), 401],
    ["from another ufrag", check(OUR_KEY, Buffer.from("ours:thex")), 401],
    ["for the right ufrag alone", check(OUR_KEY, Buffer.from("ours")), 401],
    ["with more behind the ufrags", check(OUR_KEY, Buffer.from("ours:them2")), 401],
    ["too small to be refused", build("request", TRANSACTION, () => {}, null), null],
  ];

  test.each(requests)("%s is refused and changes nothing", (_, request, code) => {
    const wire = new IceWire();
    const us = addAgent(wire, "us");
    start(wire, us);
    const before = stateOf(us);
    wire.sent.length = 0;
    us.receive(request, NOWHERE, 1);
    expect(stateOf(us)).toBe(before);
    expect(us.agent.stats.dropped).toBe(1);
    expect(wire.sent.map((each) => readSent(each).errorCode)).toEqual(code === null ? [] : [code]);
    for (const each of wire.sent) {
      expect(each.to).toEqual(NOWHERE);
      expect(each.bytes.length).toBeLessThanOrEqual(request.length);
      expect(readSent(each).hasTransactionId(TRANSACTION)).toBe(true);
    }
  });

  test("that is good is answered with the address that it came from", () => {
    for (const from of [PEER, { address: "2001:db8::77", port: 65_535 }]) {
      const wire = new IceWire();
      const us = addAgent(wire, "us", { candidates: [] });
      start(wire, us);
      us.receive(check(), from, 1);
      const answer = readSent(wire.sent[0]!);
      expect(answer).toMatchObject({ messageClass: "success", hasFingerprint: true });
      expect(answer.mappedAddress()).toEqual(from);
      expect(answer.isAuthentic(OUR_KEY)).toBe(true);
      expect(wire.sent[0]!.bytes.length).toBeLessThanOrEqual(check().length);
      expect(us.agent.isPeerAddress(from)).toBe(true);
    }
  });
});

test("a Binding indication is no reason to do anything", () => {
  const wire = new IceWire();
  const us = addAgent(wire, "us");
  start(wire, us);
  const before = stateOf(us);
  us.receive(
    build("indication", TRANSACTION, () => {}, null),
    PEER,
    1,
  );
  expect(stateOf(us)).toBe(before);
  expect(wire.sent).toHaveLength(1);
});

test("ten thousand good checks from as many addresses leave the agent within its bounds", () => {
  const wire = new IceWire();
  const us = addAgent(wire, "us");
  const peer = addAgent(wire, "peer");
  start(wire, us, peer);
  wire.advance(1_000);
  wire.sent.length = 0;
  for (let i = 0; i < 10_000; i += 1) {
    us.receive(check(), { address: "203.0.113.200", port: i + 1 }, wire.nowMs);
  }
  // One answer each, and checks of our own at their pace.
  expect(wire.sent.length).toBeLessThanOrEqual(10_001);
  expect(us.peerAddresses.length - us.forgotten.length).toBe(16);
  expect(us.agent.isPeerAddress(PEER)).toBe(true);
  wire.advance(120_000);
  expect(us.agent.selected).toEqual(PEER);
  expect(us.ends).toEqual([]);
});

test("a closed agent says nothing, asks for nothing and takes nothing", () => {
  const wire = new IceWire();
  const us = addAgent(wire, "us");
  start(wire, us);
  us.agent.close();
  us.agent.close();
  wire.sent.length = 0;
  us.receive(check(), PEER, 1);
  us.handleTimeout(100_000);
  us.agent.start(100_000);
  expect(wire.sent).toEqual([]);
  expect(us.ends).toEqual([]);
  expect(us.agent.deadlineMs).toBe(Number.POSITIVE_INFINITY);
  expect(us.agent.stats.dropped).toBe(1);
});

test("a sink that closes the agent in the middle of a message hears no more of it", () => {
  const wire = new IceWire();
  const us = addAgent(wire, "us");
  const peer = addAgent(wire, "peer");
  start(wire, us, peer);
  us.onPeerAddress = () => us.agent.close();
  wire.advance(1_000);
  expect(us.selections).toEqual([]);
  expect(us.ends).toEqual([]);
});
