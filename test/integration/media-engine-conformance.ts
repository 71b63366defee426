import { createSocket } from "node:dgram";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { AudioDescription, DtlsSetup } from "../../src/core/sdp/model.ts";
import type { MediaEngine, MediaLeg, MediaLegListener, MediaLegState } from "../../src/media/engine.ts";
import { eventually } from "../support/eventually.ts";
import { hostCandidate, OfferingPeer } from "./offering-peer.ts";
import { UdpPath } from "./udp-path.ts";

class Recorder implements MediaLegListener {
  readonly received: Uint8Array[] = [];
  readonly receivedRtcp: Uint8Array[] = [];
  readonly states: MediaLegState[] = [];
  iceConnected = 0;

  onIceConnected(): void {
    this.iceConnected += 1;
  }

  onState(state: MediaLegState): void {
    this.states.push(state);
  }

  onRtp(packet: Uint8Array): void {
    this.received.push(Uint8Array.from(packet));
  }

  onRtcp(packet: Uint8Array): void {
    this.receivedRtcp.push(Uint8Array.from(packet));
  }
}

/** One engine under test and the peers that call it; both are closed after each test. */
class Harness {
  #engine: MediaEngine | null = null;
  readonly #offerers: OfferingPeer[] = [];

  get engine(): MediaEngine {
    if (this.#engine === null) throw new Error("no engine");
    return this.#engine;
  }

  async setUp(create: () => Promise<MediaEngine>): Promise<void> {
    this.#engine = await create();
  }

  async tearDown(): Promise<void> {
    await this.#engine?.close();
    for (const offerer of this.#offerers.splice(0)) offerer.close();
  }

  addOfferer(setup: DtlsSetup): OfferingPeer {
    const offerer = new OfferingPeer(setup);
    this.#offerers.push(offerer);
    return offerer;
  }

  async open(
    setup: DtlsSetup,
    change: (offer: AudioDescription) => AudioDescription = (offer) => offer,
  ): Promise<TestCall> {
    const offerer = this.addOfferer(setup);
    const recorder = new Recorder();
    const leg = await this.engine.openLeg(change(await offerer.offer()), recorder);
    offerer.answer(leg.local);
    return { offerer, recorder, leg };
  }

  async connect(setup: DtlsSetup = "actpass"): Promise<TestCall> {
    const call = await this.open(setup);
    call.leg.connect();
    await vi.waitFor(() => expect(call.recorder.states).toContain("connected"), 10_000);
    await vi.waitFor(() => expect(call.offerer.isOpen).toBe(true), 10_000);
    return call;
  }
}

interface TestCall {
  readonly offerer: OfferingPeer;
  readonly recorder: Recorder;
  readonly leg: MediaLeg;
}

/** What not every media engine can do. */
export interface EngineAbilities {
  /** The peer's RTCP comes up. */
  readonly reportsRtcp: boolean;
}

/** What every media engine must do, whatever it is made of. `create` binds it to 127.0.0.1. */
export function describeMediaEngine(
  name: string,
  create: () => Promise<MediaEngine>,
  abilities: EngineAbilities = { reportsRtcp: true },
): void {
  describe(`media engine ${name}`, () => {
    const harness = new Harness();
    beforeEach(() => harness.setUp(create));
    afterEach(() => harness.tearDown());
    describeConnecting(harness);
    describeOffers(harness);
    describePackets(harness, abilities);
    describeHostilePath(harness);
    describeClosing(harness);
  });
}

function describeConnecting(harness: Harness): void {
  test.each([
    ["actpass", "active"],
    ["passive", "active"],
    ["active", "passive"],
  ] as const)("an offer with setup:%s is answered as %s and connects", async (offered, answered) => {
    const { leg, recorder } = await harness.connect(offered);
    expect(leg.local.setup).toBe(answered);
    expect(recorder.iceConnected).toBe(1);
    expect(recorder.states).toEqual(["connected"]);
  });

  test("our parameters are complete when the leg is open", async () => {
    const { leg } = await harness.open("actpass");
    const { local } = leg;
    expect(local.iceUfrag.length).toBeGreaterThanOrEqual(4);
    expect(local.icePwd.length).toBeGreaterThanOrEqual(22);
    expect(local.sha256Fingerprint).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    expect(local.sessionId).toMatch(/^\d+$/);
    expect(local.ssrc).toBeLessThan(2 ** 32);
    expect(local.cname).toMatch(/^[\w-]+$/);
    expect(local.candidates).not.toHaveLength(0);
    for (const candidate of local.candidates) {
      expect(candidate).toMatchObject({ componentId: 1, transport: "udp", address: "127.0.0.1" });
      expect(candidate.port).toBeGreaterThan(0);
    }
  });

  test("connect may be called again", async () => {
    const { leg, recorder } = await harness.connect();
    leg.connect();
    expect(recorder.states).toEqual(["connected"]);
  });

  test("nothing leaves the machine before connect", async () => {
    const sink = createSocket("udp4");
    const datagrams: Buffer[] = [];
    sink.on("message", (message) => datagrams.push(message));
    await new Promise<void>((resolve) => sink.bind(0, "127.0.0.1", resolve));
    try {
      const recorder = new Recorder();
      const leg = await harness.engine.openLeg(offerTo(sink.address().port), recorder);
      await quiet();
      expect(datagrams).toHaveLength(0);
      expect(recorder.iceConnected).toBe(0);
      leg.connect();
      await vi.waitFor(() => expect(datagrams.length).toBeGreaterThan(0), 5_000);
      // RFC 8489 §5: the magic cookie of a STUN message.
      expect(datagrams[0]?.readUInt32BE(4)).toBe(0x2112a442);
    } finally {
      sink.close();
    }
  });

  test("a certificate that is not the offered one fails the leg", async () => {
    const wrong = Array.from({ length: 32 }, () => "AB").join(":");
    const { leg, recorder } = await harness.open("actpass", (offer) => ({
      ...offer,
      fingerprints: [{ algorithm: "sha-256", value: wrong }],
    }));
    leg.connect();
    await vi.waitFor(() => expect(recorder.states).not.toHaveLength(0), 15_000);
    expect(recorder.states).toEqual(["failed"]);
    expect(leg.sendRtp(rtpPacket(111, leg.local.ssrc, 10))).toBe(false);
  });
}

function describeOffers(harness: Harness): void {
  test("an ICE password with base64 padding is taken", async () => {
    const { leg } = await harness.open("actpass", (offer) => ({
      ...offer,
      icePwd: "sFDA3KtvPb8Qd+yv/1Ab3A==",
    }));
    expect(leg.local.setup).toBe("active");
  });

  test("candidates that cannot be used are passed over, the one that can be is taken", async () => {
    const { leg, recorder } = await harness.open("actpass", (offer) => ({
      ...offer,
      candidates: [
        { ...hostCandidate(9), priority: 2 ** 40 },
        { ...hostCandidate(9), transport: "tcp" },
        { ...hostCandidate(9), address: "4f1c2a.local" },
        { ...hostCandidate(9), address: "2001:db8::1" },
        ...offer.candidates,
      ],
    }));
    leg.connect();
    await vi.waitFor(() => expect(recorder.states).toEqual(["connected"]), 10_000);
  });

  test.each([
    ["no candidates", []],
    ["candidates of another address family only", [{ ...hostCandidate(9), address: "2001:db8::1" }]],
  ])("an offer with %s opens, waits and closes like any other", async (_, candidates) => {
    const recorder = new Recorder();
    const leg = await harness.engine.openLeg({ ...offerTo(9), candidates }, recorder);
    leg.connect();
    await quiet();
    leg.close();
    expect(recorder.states).toEqual([]);
  });

  test("an offer without a usable fingerprint is refused with an error", async () => {
    const offer = { ...offerTo(9), fingerprints: [{ algorithm: "md5", value: "00" }] };
    await expect(harness.engine.openLeg(offer, new Recorder())).rejects.toMatchObject({
      code: "MEDIA_ENGINE_FAILED",
    });
  });
}

function describePackets(harness: Harness, abilities: EngineAbilities): void {
  test("RTP passes unchanged both ways", async () => {
    const { offerer, leg, recorder } = await harness.connect();
    const out = rtpPacket(111, leg.local.ssrc, 80);
    const inward = [rtpPacket(111, 7, 80, 1), rtpPacket(126, 7, 4, 2), rtpPacket(111, 7, 1200, 3)];
    expect(leg.sendRtp(out)).toBe(true);
    offerer.send(receiverReport(7));
    for (const packet of inward) offerer.send(packet);
    await eventually(() => expect(offerer.received).toHaveLength(1));
    await eventually(() => expect(recorder.received).toHaveLength(inward.length));
    expect(Uint8Array.from(offerer.received[0] ?? [])).toEqual(out);
    expect(recorder.received).toEqual(inward);
    expect(leg.stats()).toMatchObject({ bytesSent: out.length, sendsDropped: 0 });
  });

  if (abilities.reportsRtcp) describeRtcp(harness);

  test("a sent packet's bytes may be reused at once", async () => {
    const { offerer, leg } = await harness.connect();
    const packet = rtpPacket(111, leg.local.ssrc, 20);
    for (let i = 0; i < 10; i += 1) {
      packet[3] = i;
      packet.fill(i, 12);
      leg.sendRtp(packet);
    }
    await eventually(() => expect(offerer.received).toHaveLength(10));
    expect(offerer.received.map((received) => received[12])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test("sending before the transport is up is refused and counted", async () => {
    const { leg } = await harness.open("actpass");
    expect(leg.sendRtp(rtpPacket(111, leg.local.ssrc, 10))).toBe(false);
    expect(leg.stats()).toMatchObject({ bytesSent: 0, sendsDropped: 1 });
  });

  test("garbage sent to its port does no harm and the call goes on", async () => {
    const { offerer, leg, recorder } = await harness.connect();
    const port = leg.local.candidates[0]?.port ?? 0;
    const attacker = createSocket("udp4");
    const send = (bytes: Uint8Array) =>
      new Promise<void>((resolve) => attacker.send(bytes, port, "127.0.0.1", () => resolve()));
    try {
      for (let first = 0; first < 256; first += 1) {
        for (const length of [1, 13, 60]) await send(new Uint8Array(length).fill(first));
      }
      await send(Uint8Array.of(0, 1, 0xff, 0xff, 0x21, 0x12, 0xa4, 0x42));
      await send(rtpPacket(111, 7, 80));
    } finally {
      attacker.close();
    }
    offerer.send(rtpPacket(111, 7, 33));
    leg.sendRtp(rtpPacket(111, leg.local.ssrc, 44));
    await eventually(() => expect(recorder.received).toHaveLength(1));
    await eventually(() => expect(offerer.received).toHaveLength(1));
    expect(recorder.received[0]).toHaveLength(12 + 33);
    expect(recorder.states).toEqual(["connected"]);
  });
}

function describeRtcp(harness: Harness): void {
  test("RTCP passes both ways, apart from RTP", async () => {
    const { offerer, leg, recorder } = await harness.connect();
    // The peer answers a sender report, and repeats from it when it was made (RFC 3550 §6.4.1: LSR).
    expect(leg.sendRtcp(senderReport(leg.local.ssrc, 0x12345678))).toBe(true);
    await eventually(() => expect(recorder.receivedRtcp).toHaveLength(1));
    const answer = Buffer.from(recorder.receivedRtcp[0] ?? []);
    expect([answer[1], answer.readUInt32BE(24)]).toEqual([201, 0x12345678]);
    offerer.send(receiverReport(7));
    await eventually(() => expect(recorder.receivedRtcp).toHaveLength(2));
    expect(recorder.receivedRtcp[1]).toEqual(receiverReport(7));
    expect(recorder.received).toHaveLength(0);
  });
}

function describeHostilePath(harness: Harness): void {
  test("garbage and repetitions that seem to come from the peer do no harm, before, during and after DTLS", async () => {
    const offerer = harness.addOfferer("actpass");
    const offer = await offerer.offer();
    await using path = await UdpPath.open(offer.candidates[0]?.port ?? 0);
    const recorder = new Recorder();
    const candidates = [hostCandidate(path.port)];
    const leg = await harness.engine.openLeg({ ...offer, candidates }, recorder);
    leg.connect();
    await vi.waitFor(() => expect(path.hasLeg).toBe(true), 5_000);
    const forge = (): void => {
      for (const datagram of garbage()) path.forge(datagram);
    };
    forge();
    const forging = setInterval(forge, 5);
    try {
      offerer.answer(leg.local);
      await vi.waitFor(() => expect(recorder.states).toContain("connected"), 10_000);
      await vi.waitFor(() => expect(offerer.isOpen).toBe(true), 10_000);
      for (let sequence = 1; sequence <= 5; sequence += 1) offerer.send(rtpPacket(111, 7, 80, sequence));
      await eventually(() => expect(recorder.received).toHaveLength(5));
    } finally {
      clearInterval(forging);
    }
    for (const datagram of path.toLeg) path.forge(datagram);
    offerer.send(rtpPacket(111, 7, 81, 6));
    leg.sendRtp(rtpPacket(111, leg.local.ssrc, 44));
    await eventually(() => expect(offerer.received).toHaveLength(1));
    await eventually(() => expect(recorder.received.at(-1)).toHaveLength(12 + 81));
    expect(recorder.received).toHaveLength(6);
    expect(recorder.states).toEqual(["connected"]);
  });
}

/** Datagrams of every first byte: STUN, DTLS, RTP and RTCP by RFC 7983, none of them well formed or authentic. */
function garbage(): Uint8Array[] {
  const lengths = [0, 1, 12, 13, 60, 1_400];
  const datagrams = lengths.flatMap((length) =>
    [0, 1, 20, 22, 23, 63, 64, 128, 144, 191, 255].map((first) =>
      Uint8Array.from({ length }, (_, i) => (i === 0 ? first : (i * 37 + first) & 0xff)),
    ),
  );
  // A Binding success of nothing. A well-formed handshake record is left out: before its Finished, DTLS 1.2 has no
  // way to tell a forged one (RFC 6347 §4.1.2.7), whoever knows both ports and forges addresses can end it.
  const stun = [1, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  return [...datagrams, Uint8Array.from(stun)];
}

function describeClosing(harness: Harness): void {
  test("close is idempotent and nothing is reported after it", async () => {
    const { offerer, leg, recorder } = await harness.connect();
    // Before: a peer that is told of the end sends no more. They arrive after.
    for (let sequence = 1; sequence <= 5; sequence += 1) offerer.send(rtpPacket(111, 7, 80, sequence));
    leg.close();
    leg.close();
    leg.connect();
    await quiet();
    expect(leg.sendRtp(rtpPacket(111, leg.local.ssrc, 10))).toBe(false);
    expect(recorder.states).toEqual(["connected"]);
    expect(recorder.received).toHaveLength(0);
  });

  test("closing the engine closes its legs, and no leg opens after it", async () => {
    const { offerer, leg, recorder } = await harness.connect();
    offerer.send(rtpPacket(111, 7, 80));
    const closed = harness.engine.close();
    await harness.engine.close();
    await closed;
    expect(leg.sendRtp(rtpPacket(111, leg.local.ssrc, 10))).toBe(false);
    await quiet();
    expect(recorder.received).toHaveLength(0);
    expect(recorder.states).toEqual(["connected"]);
    await expect(harness.engine.openLeg(offerTo(9), recorder)).rejects.toMatchObject({
      code: "MEDIA_ENGINE_FAILED",
    });
  });
}

/** The absence of traffic has no event to wait for. Checks and packets come every 20 to 50 ms once they do. */
function quiet(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 300));
}

/** An offer by nobody: good for everything that comes before a connection. */
function offerTo(port: number): AudioDescription {
  return {
    mid: "audio",
    iceUfrag: "SJJXJHYPhhGFGPyd",
    icePwd: "sFDA3KtvPb8Qd+yv/1Ab3A==",
    iceLite: true,
    fingerprints: [{ algorithm: "sha-256", value: Array.from({ length: 32 }, () => "AB").join(":") }],
    setup: "actpass",
    candidates: [hostCandidate(port), { ...hostCandidate(port), componentId: 2, port: port + 1 }],
    opus: { payloadType: 111, parameters: "" },
    telephoneEvent: { payloadType: 126 },
    ssrc: null,
  };
}

function rtpPacket(payloadType: number, ssrc: number, payloadBytes: number, sequence = 1): Uint8Array {
  const packet = new Uint8Array(12 + payloadBytes);
  packet.set([0x80, payloadType, 0, sequence, 0, 0, 3, 0xc0]);
  new DataView(packet.buffer).setUint32(8, ssrc);
  for (let i = 12; i < packet.length; i += 1) packet[i] = i * 7;
  return packet;
}

/** RFC 3550 §6.4.2, without report blocks. */
function receiverReport(ssrc: number): Uint8Array {
  const packet = new Uint8Array(8);
  packet.set([0x80, 201, 0, 1]);
  new DataView(packet.buffer).setUint32(4, ssrc);
  return packet;
}

/** RFC 3550 §6.4.1, without report blocks. `ntpMiddle`: the middle 32 bits of its NTP timestamp. */
function senderReport(ssrc: number, ntpMiddle: number): Uint8Array {
  const packet = new Uint8Array(28);
  packet.set([0x80, 200, 0, 6]);
  const view = new DataView(packet.buffer);
  view.setUint32(4, ssrc);
  view.setUint32(10, ntpMiddle);
  return packet;
}
