import { describe, expect, test } from "vitest";
import {
  addAgent,
  IceWire,
  OURS,
  PEER,
  readSent,
  start,
  THEIRS,
  US,
  type WireHost,
} from "../../../../test/support/ice-wire.ts";
import { IceLiteAgent } from "../../../simulator/phone/ice-lite.ts";
import {
  buildStunMessage,
  checkAttributes,
  errorCode,
  hasValidIntegrity,
  parseStunMessage,
} from "../../../simulator/phone/stun.ts";
import type { TransportAddress } from "../address.ts";

// The simulator's STUN and ICE share no code with ours: a misreading would have to be made twice.

/** The simulated phone's side on the wire. */
class PhoneHost implements WireHost {
  address = PEER;
  readonly deadlineMs = Number.POSITIVE_INFINITY;
  readonly ice = new IceLiteAgent(THEIRS);
  readonly verdicts: string[] = [];
  readonly #wire: IceWire;

  constructor(wire: IceWire) {
    this.#wire = wire;
    this.ice.setRemoteUfrag(OURS.ufrag);
    wire.attach(this);
  }

  receive(datagram: Uint8Array, from: TransportAddress): void {
    const verdict = this.ice.receive(datagram, from);
    this.verdicts.push(verdict.type);
    if ("reply" in verdict) this.#wire.send(verdict.reply, this.address, from);
  }

  handleTimeout(): void {}
}

describe("with the simulated phone", () => {
  test("we connect and are nominated there", () => {
    const wire = new IceWire();
    const phone = new PhoneHost(wire);
    const us = addAgent(wire, "us", { peerIsLite: true });
    start(wire, us);
    wire.advance(60_000);
    expect(us.selections).toEqual([PEER]);
    expect(us.ends).toEqual([]);
    expect(us.agent.stats.dropped).toBe(0);
    expect(phone.ice.isNominated).toBe(true);
    expect(phone.ice.selected).toEqual(US);
    expect(new Set(phone.verdicts)).toEqual(new Set(["success"]));
  });

  test("it follows us when our NAT gives us another address", () => {
    const wire = new IceWire();
    const phone = new PhoneHost(wire);
    const us = addAgent(wire, "us", { peerIsLite: true });
    start(wire, us);
    wire.advance(1_000);
    us.address = { address: "203.0.113.5", port: 50_000 };
    wire.advance(6_100);
    expect(phone.ice.selected).toEqual(us.address);
  });

  test("a check from another address of a peer that is where it was does not move media", () => {
    const wire = new IceWire();
    const [phone, other] = [new PhoneHost(wire), new PhoneHost(wire)];
    other.address = { address: "198.51.100.99", port: 6_000 };
    const us = addAgent(wire, "us");
    start(wire, us);
    wire.advance(3_000);
    for (let round = 0; round < 10; round += 1) {
      const check = {
        username: "ours:them",
        priority: 2_000_000_000,
        role: "controlled",
        useCandidate: true,
      } as const;
      us.receive(
        buildStunMessage("request", Buffer.alloc(12, round), checkAttributes(check), OURS.pwd),
        other.address,
        wire.nowMs,
      );
      wire.advance(2_500);
    }
    expect(us.agent.isPeerAddress(other.address)).toBe(true);
    expect(other.verdicts.length).toBeGreaterThan(0);
    expect(us.selections).toEqual([PEER]);
    expect(other.ice.isNominated).toBe(false);
    expect(phone.ice.selected).toEqual(US);
  });

  test("over IPv6 too", () => {
    const wire = new IceWire();
    const phone = new PhoneHost(wire);
    phone.address = { address: "2a03:2880:f312:131:face:b00c:0:699c", port: 3_480 };
    const candidates = [
      { foundation: "1", componentId: 1, transport: "udp", priority: 1, type: "host" },
    ] as const;
    const us = addAgent(wire, "us", {
      peerIsLite: true,
      candidates: candidates.map((each) => ({ ...each, ...phone.address })),
    });
    us.address = { address: "2001:db8::1", port: 4_000 };
    start(wire, us);
    wire.advance(1_000);
    expect(us.selections).toEqual([phone.address]);
    expect(phone.ice.selected).toEqual(us.address);
  });
});

describe("with messages that the simulator builds", () => {
  const id = Buffer.alloc(12, 5);
  const request = (useCandidate: boolean, pwd = OURS.pwd, username = "ours:them") =>
    buildStunMessage(
      "request",
      id,
      checkAttributes({ username, priority: 1_000, role: "controlling", useCandidate }),
      pwd,
    );

  test("a lite agent of ours answers what it can read", () => {
    const wire = new IceWire();
    const us = addAgent(wire, "us", { isLite: true });
    start(wire, us);
    us.receive(request(true), PEER, 1);
    const reply = parseStunMessage(wire.sent[0]!.bytes)!;
    expect(reply).toMatchObject({ messageClass: "success", mappedAddress: PEER, hasFingerprint: true });
    expect(reply.transactionId).toEqual(Uint8Array.from(id));
    expect(hasValidIntegrity(reply, OURS.pwd)).toBe(true);
    expect(us.agent.selected).toEqual(PEER);
  });

  test.each([
    [401, request(false, "wrong-password-of-22-chars")],
    [401, request(false, OURS.pwd, "ours:else")],
    [400, buildStunMessage("request", id, [{ type: 0x0006, value: Buffer.from("ours:them") }], OURS.pwd)],
    [
      420,
      buildStunMessage(
        "request",
        id,
        [
          ...checkAttributes({
            username: "ours:them",
            priority: 1,
            role: "controlling",
            useCandidate: false,
          }),
          { type: 0x0003, value: Buffer.alloc(4) },
        ],
        OURS.pwd,
      ),
    ],
    [
      487,
      buildStunMessage(
        "request",
        id,
        checkAttributes({ username: "ours:them", priority: 1, role: "controlled", useCandidate: false }),
        OURS.pwd,
      ),
    ],
  ])("%d goes back, and no byte more than came", (code, datagram) => {
    const wire = new IceWire();
    const us = addAgent(wire, "us", { isLite: true });
    start(wire, us);
    us.receive(datagram, PEER, 1);
    expect(wire.sent).toHaveLength(1);
    const reply = parseStunMessage(wire.sent[0]!.bytes)!;
    expect(reply).toMatchObject({ messageClass: "error", errorCode: code, hasFingerprint: true });
    expect(hasValidIntegrity(reply, OURS.pwd)).toBe(code === 420 || code === 487);
    expect(wire.sent[0]!.bytes.length).toBeLessThanOrEqual(datagram.length);
    expect(us.agent.selected).toBeNull();
  });

  test("an error with integrity fails the pair, and with it a lite peer", () => {
    const wire = new IceWire();
    const us = addAgent(wire, "us", { peerIsLite: true });
    start(wire, us);
    const asked = Uint8Array.from(readSent(wire.sent[0]!).transactionId);
    us.receive(buildStunMessage("error", asked, [errorCode(500, "Server Error")], THEIRS.pwd), PEER, 5);
    expect(us.ends).toEqual(["no-pair"]);
  });
});
