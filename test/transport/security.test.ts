import { describe, expect, test } from "vitest";
import type { TransportAddress } from "../../src/core/transport/address.ts";
import type { TransportDrop } from "../../src/core/transport/call-transport.ts";
import { SeededRandom } from "../../src/testing/seeded-random.ts";
import { CallPair, type Party, RELAY } from "./call-pair.ts";

const STRANGER: TransportAddress = { address: "192.0.2.66", port: 6666 };
const ROLES = ["client", "server"] as const;

function connected(seed = 1, ourRole: (typeof ROLES)[number] = "client"): CallPair {
  const pair = new CallPair({ seed, ourRole });
  pair.connect();
  pair.runUntilConnected();
  pair.talk(1_000);
  return pair;
}

/** The call goes on as if nothing had been: every packet arrives, nobody has ended it, nothing else was heard. */
function expectUndisturbed(pair: CallPair): void {
  const before = [pair.ours, pair.relay].map((party) => party.receiver.stats().packetsReceived);
  const sentBefore = [pair.relay, pair.ours].map((party) => party.packetsSent);
  pair.talk(2_000);
  pair.clock.advance(100);
  expect([pair.ours.end, pair.relay.end]).toEqual([null, null]);
  for (const [i, party] of [pair.ours, pair.relay].entries()) {
    expect(party.receiver.stats().packetsReceived - (before[i] ?? 0)).toBe(100);
    expect(party.receiver.stats().packetsDuplicate).toBe(0);
    expect(party.badPayloads).toBe(0);
  }
  expect([pair.relay, pair.ours].map((party, i) => party.packetsSent - (sentBefore[i] ?? 0))).toEqual([
    100, 100,
  ]);
}

function dropped(party: Party, reason: TransportDrop): number {
  return party.transport.stats().dropped[reason];
}

describe.each(ROLES)("a call as DTLS %s", (ourRole) => {
  test("replays of all that the peer ever sent change nothing", () => {
    const pair = connected(1, ourRole);
    const heard = pair.ours.receiver.stats().packetsReceived;
    for (let round = 0; round < 3; round += 1) {
      for (const datagram of pair.relay.sent) pair.ours.receive(datagram.slice(), RELAY);
    }
    expect(pair.ours.receiver.stats().packetsReceived).toBe(heard);
    expect(dropped(pair.ours, "srtp-replay")).toBe(150);
    expectUndisturbed(pair);
  });

  test("truncated and altered copies of all that the peer ever sent change nothing", () => {
    const pair = connected(1, ourRole);
    const random = new SeededRandom(7);
    const heard = pair.ours.receiver.stats().packetsReceived;
    for (const datagram of pair.relay.sent.slice(-60).concat(pair.relay.sent.slice(0, 12))) {
      for (let length = 0; length < datagram.length; length += 1) {
        pair.ours.receive(datagram.slice(0, length), RELAY);
      }
      for (let i = 0; i < 20; i += 1) {
        const altered = datagram.slice();
        const at = random.uint32() % altered.length;
        altered[at] = (altered[at] ?? 0) ^ (1 << (random.uint32() % 8));
        pair.ours.receive(altered, RELAY);
      }
    }
    expect(pair.ours.receiver.stats().packetsReceived).toBe(heard);
    expectUndisturbed(pair);
  });

  test("packets of another call change nothing, though they come from the peer's address", () => {
    const pair = connected(1, ourRole);
    const other = connected(99, ourRole);
    const heard = pair.ours.receiver.stats().packetsReceived;
    for (const datagram of other.relay.sent) pair.ours.receive(datagram.slice(), RELAY);
    for (const datagram of other.ours.sent) pair.ours.receive(datagram.slice(), RELAY);
    expect(pair.ours.receiver.stats().packetsReceived).toBe(heard);
    // The calls use the same SSRCs and sequence numbers: what we have heard already is not even decrypted.
    expect(dropped(pair.ours, "srtp-auth") + dropped(pair.ours, "srtp-replay")).toBe(100);
    expectUndisturbed(pair);
  });

  test("our own packets, thrown back at us, change nothing", () => {
    const pair = connected(1, ourRole);
    for (const datagram of pair.ours.sent) pair.ours.receive(datagram.slice(), RELAY);
    expectUndisturbed(pair);
  });

  test("what comes from an address that ICE has not proved is dropped, authentic or not", () => {
    const pair = connected(1, ourRole);
    pair.relay.sendNext();
    const fresh = pair.relay.sent.at(-1)?.slice() ?? new Uint8Array();
    const heard = pair.ours.receiver.stats().packetsReceived;
    pair.ours.receive(fresh, STRANGER);
    expect(pair.ours.receiver.stats().packetsReceived).toBe(heard);
    expect(dropped(pair.ours, "unexpected-address")).toBe(1);
  });

  test("a certificate that is not the one of the SDP ends the call before a packet flows", () => {
    const wrong = Array.from({ length: 32 }, () => "AB").join(":");
    const pair = new CallPair({ ourRole, expectedFingerprint: wrong });
    pair.connect();
    pair.runUntilConnected();
    expect(pair.ours.end).toBe("dtls-fingerprint-mismatch");
    expect(pair.ours.isConnected).toBe(false);
    pair.ours.sendNext();
    expect(pair.ours.packetsSent).toBe(0);
    pair.clock.advance(1_000);
    // The peer is told by an alert.
    expect(pair.relay.end).toBe("dtls-peer-alert");
  });

  test("RTP and RTCP before DTLS is done are dropped", () => {
    const pair = new CallPair({ ourRole });
    const donor = connected(99, ourRole);
    pair.connect();
    // ICE is up, DTLS is held up.
    const holding = pair.network.dropIf(({ bytes }) => (bytes[0] ?? 0) >= 20 && (bytes[0] ?? 0) <= 63);
    pair.clock.advance(50);
    const plain = Uint8Array.from({ length: 92 }, (_, i) => (i === 0 ? 0x80 : i === 1 ? 111 : i));
    for (const datagram of [plain, ...donor.relay.sent.slice(-50)])
      pair.ours.receive(datagram.slice(), RELAY);
    expect(pair.ours.receiver.stats().packetsReceived).toBe(0);
    expect(pair.ours.rtcpReceived).toBe(0);
    expect(dropped(pair.ours, "before-dtls")).toBe(51);
    holding.stop();
    pair.runUntilConnected();
    expectUndisturbed(pair);
  });

  test("a stranger is never sent more bytes than it sent, whatever it sends and whenever", () => {
    const pair = new CallPair({ ourRole });
    const donor = connected(99, ourRole);
    let strangerGot = 0;
    let strangerSent = 0;
    pair.network.attach(STRANGER, (datagram) => {
      strangerGot += datagram.length;
    });
    const attack = (): void => {
      for (const target of [pair.ours, pair.relay]) {
        for (const datagram of [...donor.ours.sent, ...donor.relay.sent, ...checks(pair)]) {
          strangerSent += datagram.length;
          target.receive(datagram.slice(), STRANGER);
        }
      }
      pair.clock.advance(1_000);
      expect(strangerGot).toBeLessThanOrEqual(strangerSent);
    };
    attack();
    pair.connect();
    attack();
    pair.runUntilConnected();
    attack();
    expectUndisturbed(pair);
  });
});

/** Copies of this call's own checks, whole, cut short and with a bit changed. */
function checks(pair: CallPair): Uint8Array[] {
  const stun = [...pair.ours.sent, ...pair.relay.sent].filter((datagram) => (datagram[0] ?? 4) < 4);
  return stun.flatMap((datagram) => {
    const altered = datagram.slice();
    altered[30] = (altered[30] ?? 0) ^ 1;
    return [altered, datagram.slice(0, 20), datagram.slice(0, -8)];
  });
}

test("after the end nothing is sent, taken or waited for", () => {
  const pair = connected();
  pair.ours.transport.close();
  const { bytesSent } = pair.ours;
  const heard = pair.ours.receiver.stats().packetsReceived;
  pair.talk(1_000);
  for (const datagram of pair.relay.sent) pair.ours.receive(datagram.slice(), RELAY);
  expect(pair.ours.bytesSent).toBe(bytesSent);
  expect(pair.ours.receiver.stats().packetsReceived).toBe(heard);
  expect(pair.ours.transport.deadlineMs).toBe(Number.POSITIVE_INFINITY);
  expect(pair.relay.end).toBe("dtls-peer-closed");
});
