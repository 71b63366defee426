import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../testing/manual-clock.ts";
import { NetworkEmulator } from "../../testing/network-emulator.ts";
import { SeededRandom } from "../../testing/seeded-random.ts";
import type { IceCandidate } from "../sdp/model.ts";
import type { TransportAddress } from "./address.ts";
import {
  answerRole,
  CallTransport,
  type CallTransportOptions,
  type CallTransportSink,
  type TransportEndReason,
} from "./call-transport.ts";
import { createCertificate } from "./dtls/dtls-certificate.ts";

const US: TransportAddress = { address: "192.0.2.1", port: 40_000 };
const PEER: TransportAddress = { address: "198.51.100.1", port: 3480 };
const STRANGER: TransportAddress = { address: "203.0.113.66", port: 6666 };

const random = new SeededRandom(7).bytes;
const certificate = createCertificate({ nowMs: 1_767_225_600_000, lifetimeMs: 86_400_000, random });
const FINGERPRINT = { algorithm: "sha-256", value: certificate.sha256Fingerprint };

interface SideOptions {
  readonly isLite?: boolean;
  readonly isServer?: boolean;
  readonly fingerprint?: string;
}

/** One side of a call in virtual time, with what it reported, and when. */
class Side implements CallTransportSink {
  readonly transport: CallTransport;
  readonly events: (readonly [number, string])[] = [];
  readonly rtp: number[][] = [];
  readonly rtcp: number[][] = [];
  /** First bytes of what it sent, and when. */
  readonly sent: (readonly [number, number])[] = [];
  /** Called with each event. */
  onEvent: (event: string) => void = () => {};
  readonly #call: Call;
  readonly #address: TransportAddress;
  readonly #slot = new Uint8Array(1500);

  constructor(call: Call, address: TransportAddress, options: CallTransportOptions) {
    this.#call = call;
    this.#address = address;
    this.transport = new CallTransport(options, this);
    call.network.attach(address, (datagram, from) => {
      this.transport.receive(datagram, from, call.clock.nowMs());
      this.schedule();
    });
  }

  connect(): void {
    this.transport.connect(this.#call.clock.nowMs());
    this.schedule();
  }

  /** When it first reported the event; NaN when it did not. */
  timeOf(event: string): number {
    return this.events.find(([, name]) => name === event)?.[0] ?? Number.NaN;
  }

  get ends(): string[] {
    return this.events.map(([, event]) => event).filter((event) => event.includes("-"));
  }

  schedule(): void {
    const { clock } = this.#call;
    const { deadlineMs } = this.transport;
    if (deadlineMs === Number.POSITIVE_INFINITY) return;
    clock.setTimer(deadlineMs - clock.nowMs(), () => {
      if (this.transport.deadlineMs > clock.nowMs()) return;
      this.transport.handleTimeout(clock.nowMs());
      this.schedule();
    });
  }

  send(datagram: Uint8Array, to: TransportAddress): void {
    this.sent.push([this.#call.clock.nowMs(), datagram[0] ?? -1]);
    this.#call.network.send(this.#address, to, datagram);
  }

  lend(): Uint8Array {
    return this.#slot;
  }

  sendLent(lengthBytes: number, to: TransportAddress): boolean {
    this.send(this.#slot.subarray(0, lengthBytes), to);
    return true;
  }

  onPeerAddress(): void {}
  onPeerAddressForgotten(): void {}

  onIceConnected(): void {
    this.#report("ice");
  }

  onConnected(): void {
    this.#report("connected");
  }

  onRtp(packet: Uint8Array): void {
    this.rtp.push([...packet]);
    this.#report("rtp");
  }

  onRtcp(packet: Uint8Array): void {
    this.rtcp.push([...packet]);
    this.#report("rtcp");
  }

  onEnd(reason: TransportEndReason): void {
    this.#report(reason);
  }

  #report(event: string): void {
    this.events.push([this.#call.clock.nowMs(), event]);
    this.onEvent(event);
  }
}

/** Two sides and a network with a round trip of 20 ms between them. */
class Call {
  readonly clock = new ManualClock();
  readonly network = new NetworkEmulator({ clock: this.clock, link: { delayMs: 10 } });
  readonly us: Side;
  readonly peer: Side;

  constructor(ours: SideOptions = {}, theirs: SideOptions = { isLite: true, isServer: true }) {
    const isPeerServer = ours.isServer !== true;
    this.us = new Side(this, US, sideOptions("us", ours, "peer", theirs, PEER));
    this.peer = new Side(
      this,
      PEER,
      sideOptions("peer", { ...theirs, isServer: isPeerServer }, "us", ours, US),
    );
  }

  start(): this {
    this.us.connect();
    this.peer.connect();
    return this;
  }

  connect(): this {
    this.start().clock.advance(1_000);
    for (const side of [this.us, this.peer]) {
      expect(side.events.map(([, event]) => event)).toEqual(["ice", "connected"]);
    }
    return this;
  }
}

function sideOptions(
  name: string,
  own: SideOptions,
  otherName: string,
  other: SideOptions,
  otherAt: TransportAddress,
): CallTransportOptions {
  const credentials = (side: string) => ({ ufrag: side, pwd: `password-of-${side}-with-enough` });
  const candidate: IceCandidate = {
    foundation: "1",
    componentId: 1,
    transport: "udp",
    priority: 2_130_706_431,
    type: "host",
    ...otherAt,
  };
  return {
    ice: {
      local: credentials(name),
      remote: { ...credentials(otherName), isLite: other.isLite ?? false, candidates: [candidate] },
      isLite: own.isLite ?? false,
      isControlling: name === "us",
      ipVersions: [4],
    },
    dtls: {
      role: own.isServer === true ? "server" : "client",
      certificate,
      remoteFingerprints: [
        own.fingerprint === undefined ? FINGERPRINT : { ...FINGERPRINT, value: own.fingerprint },
      ],
    },
    random,
  };
}

function rtp(sequence: number): Uint8Array {
  return Uint8Array.of(0x80, 111, 0, sequence, 0, 0, 0, 0, 0, 0, 0, 7, 1, 2, 3, sequence);
}

/** RFC 3550 §6.4.2, without blocks. */
const RECEIVER_REPORT = Uint8Array.of(0x80, 201, 0, 1, 0, 0, 0, 7);

const isDtls = (first: number): boolean => first >= 20 && first <= 63;

test.each([
  ["actpass", "active", "client"],
  ["passive", "active", "client"],
  ["active", "passive", "server"],
] as const)("an offer with setup:%s is answered with setup:%s as DTLS %s", (offered, setup, role) => {
  expect(answerRole(offered)).toEqual({ setup, role });
});

describe("a call's transport", () => {
  test("connects in three round trips: a check, and two of DTLS", () => {
    const { us, peer } = new Call().connect();
    expect(us.timeOf("ice")).toBe(20);
    expect(us.timeOf("connected")).toBe(60);
    expect(peer.timeOf("connected")).toBe(50);
  });

  test.each([
    ["full and lite, client", {}, { isLite: true }],
    ["full and lite, server", { isServer: true }, { isLite: true }],
    ["full and full, client", {}, {}],
    ["full and full, server", { isServer: true }, {}],
  ])("carries RTP and RTCP apart, both ways: %s", (_, ours, theirs) => {
    const call = new Call(ours, theirs).connect();
    const { us, peer } = call;
    for (const side of [us, peer]) {
      expect(side.transport.sendRtp(rtp(1))).toBe(true);
      expect(side.transport.sendRtcp(RECEIVER_REPORT)).toBe(true);
      expect(side.transport.sendRtp(rtp(2))).toBe(true);
    }
    call.clock.advance(20);
    for (const side of [us, peer]) {
      expect(side.rtp).toEqual([[...rtp(1)], [...rtp(2)]]);
      expect(side.rtcp).toEqual([[...RECEIVER_REPORT]]);
      expect(side.transport.stats().srtpProfile).toBe("SRTP_AEAD_AES_128_GCM");
    }
    expect(us.transport.stats().rttMs).toBe(20);
  });

  test("sends nothing and takes nothing before connect", () => {
    const call = new Call();
    const { us, peer, clock } = call;
    peer.connect();
    clock.advance(10_000);
    call.network.send(PEER, US, rtp(1));
    clock.advance(10_000);
    expect(us.sent).toEqual([]);
    expect(us.transport.deadlineMs).toBe(Number.POSITIVE_INFINITY);
    expect(us.transport.stats().dropped["before-connect"]).toBe(1);
    expect(us.transport.sendRtp(rtp(1))).toBe(false);
    expect(us.transport.sendRtcp(RECEIVER_REPORT)).toBe(false);
  });

  test("drops SRTP that comes before the keys, and what no peer's address sent, and counts both", () => {
    const call = new Call().start();
    call.clock.advance(20);
    call.network.send(PEER, US, rtp(1));
    call.network.attach(STRANGER, () => {});
    call.network.send(STRANGER, US, rtp(1));
    call.network.send(STRANGER, US, Uint8Array.of(22, 254, 253));
    call.network.send(STRANGER, US, Uint8Array.of(100));
    call.clock.advance(10);
    expect(call.us.transport.stats().dropped).toMatchObject({
      "before-dtls": 1,
      "unexpected-address": 2,
      unknown: 1,
    });
    call.clock.advance(1_000);
    call.network.send(STRANGER, US, rtp(1));
    call.network.send(PEER, US, rtp(1));
    call.network.send(PEER, US, Uint8Array.of(0x80));
    call.clock.advance(10);
    expect(call.us.rtp).toEqual([]);
    expect(call.us.transport.stats().dropped).toMatchObject({ "srtp-malformed": 2, "unexpected-address": 3 });
  });

  test("repeats a lost ClientHello soon: the check has measured the way", () => {
    const call = new Call();
    const lost = call.network.dropIf(({ bytes, from }) => from.port === US.port && isDtls(bytes[0] ?? 0));
    call.start();
    call.clock.advance(30);
    lost.stop();
    call.clock.advance(1_000);
    // 20 ms for the check, 50 ms until it is repeated, two round trips.
    expect(call.us.timeOf("connected")).toBe(110);
  });

  test("answers a ClientHello that came before its own pair as soon as it has one", () => {
    const call = new Call({ isServer: true }, {});
    let lostAnswers = 0;
    call.network.dropIf(({ bytes, from }) => {
      const isAnswer = from.port === PEER.port && bytes[0] === 1 && bytes[1] === 1 && lostAnswers < 1;
      if (isAnswer) lostAnswers += 1;
      return isAnswer;
    });
    // The peer's first flight is not repeated.
    call.network.dropIf(({ from, bytes }) => from.port === PEER.port && bytes[0] === 22 && hasRepeated());
    let flights = 0;
    function hasRepeated(): boolean {
      flights += 1;
      return flights > 1 && Number.isNaN(call.us.timeOf("ice"));
    }
    call.start();
    call.clock.advance(5_000);
    const firstDtlsMs = call.us.sent.find(([, first]) => isDtls(first))?.[0];
    expect(lostAnswers).toBe(1);
    expect(flights).toBeGreaterThan(1);
    expect(firstDtlsMs).toBe(call.us.timeOf("ice"));
    expect(call.us.timeOf("connected")).toBeGreaterThan(0);
  });

  test("ends on both sides when the peer's certificate is another", () => {
    const { us, peer, clock } = new Call({ fingerprint: FINGERPRINT.value.replace(/^../, "00") }).start();
    clock.advance(1_000);
    expect(us.ends).toEqual(["dtls-fingerprint-mismatch"]);
    expect(peer.ends).toEqual(["dtls-peer-alert"]);
    expect(us.transport.sendRtp(rtp(1))).toBe(false);
    expect(us.transport.deadlineMs).toBe(Number.POSITIVE_INFINITY);
  });

  test("ends when no check is ever answered", () => {
    const call = new Call();
    call.us.connect();
    call.clock.advance(60_000);
    expect(call.us.ends).toEqual(["ice-no-pair"]);
  });

  test("ends when the peer's consent expires, and sends nothing any more", () => {
    const call = new Call().connect();
    call.network.cut();
    call.clock.advance(45_000);
    expect(call.us.ends).toEqual(["ice-consent-expired"]);
    const { length } = call.us.sent;
    expect(call.us.transport.sendRtp(rtp(1))).toBe(false);
    call.us.transport.close();
    call.clock.advance(60_000);
    expect(call.us.sent).toHaveLength(length);
  });

  test("survives that a NAT gives it another address, in both directions", () => {
    const call = new Call().connect();
    const { us, peer, clock } = call;
    call.network.rebind(US, { address: "192.0.2.99", port: 50_123 });
    for (let second = 0; second < 120; second += 1) {
      us.transport.sendRtp(rtp(second));
      peer.transport.sendRtp(rtp(second));
      clock.advance(1_000);
    }
    expect([...us.ends, ...peer.ends]).toEqual([]);
    // Until a consent check comes from the new address, and a second one proves that the old one is silent.
    expect(us.rtp.length).toBeGreaterThan(105);
    expect(peer.rtp.length).toBeGreaterThan(105);
    expect(us.rtp.at(-1)).toEqual([...rtp(119)]);
    expect(peer.rtp.at(-1)).toEqual([...rtp(119)]);
  });

  test("tells the peer of its end, once, and reports nothing after it", () => {
    const call = new Call().connect();
    const { us, peer, clock } = call;
    peer.transport.sendRtp(rtp(1));
    us.transport.close();
    us.transport.close();
    us.transport.connect(clock.nowMs());
    clock.advance(60_000);
    expect(us.events.map(([, event]) => event)).toEqual(["ice", "connected"]);
    expect(us.sent.filter(([, first]) => first === 21)).toHaveLength(1);
    expect(peer.ends).toEqual(["dtls-peer-closed"]);
    expect(us.transport.deadlineMs).toBe(Number.POSITIVE_INFINITY);
  });

  test.each(["ice", "connected", "rtp"])("may be closed while it reports: %s", (closing) => {
    const call = new Call().start();
    call.us.onEvent = (event) => {
      if (event === closing) call.us.transport.close();
    };
    call.clock.advance(1_000);
    call.peer.transport.sendRtp(rtp(1));
    call.clock.advance(60_000);
    expect(call.us.events.at(-1)?.[1]).toBe(closing);
    expect(call.us.ends).toEqual([]);
  });

  test("takes any bytes from anywhere without a throw, and the call goes on", () => {
    const call = new Call().connect();
    const { us, clock } = call;
    const first = fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 20, 21, 22, 23, 25, 128, 144, 191));
    const bytes = fc
      .tuple(first, fc.uint8Array({ maxLength: 200 }))
      .map(([byte, rest]) => Uint8Array.of(byte, ...rest));
    fc.assert(
      fc.property(bytes, fc.constantFrom(PEER, STRANGER), (datagram, from) => {
        us.transport.receive(datagram, from, clock.nowMs());
      }),
      { numRuns: 500 },
    );
    us.transport.receive(new Uint8Array(0), PEER, clock.nowMs());
    call.peer.transport.sendRtp(rtp(1));
    clock.advance(20);
    expect(us.rtp).toEqual([[...rtp(1)]]);
    expect(us.ends).toEqual([]);
  });
});
