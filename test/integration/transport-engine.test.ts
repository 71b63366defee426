import { networkInterfaces } from "node:os";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { AudioDescription, DtlsSetup, LocalAudio } from "../../src/core/sdp/model.ts";
import { readLocalUfrag } from "../../src/core/transport/stun/stun-demux.ts";
import { type Logger, silentLogger } from "../../src/logger.ts";
import type { MediaDownReason, MediaLeg, MediaLegListener, MediaLegState } from "../../src/media/engine.ts";
import {
  createTransportEngine,
  type TransportEngine,
  type TransportEngineOptions,
} from "../../src/media/transport-engine.ts";
import { systemRandom } from "../../src/platform/random.ts";
import { UdpSocket } from "../../src/platform/udp.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { eventually } from "../support/eventually.ts";
import { hostCandidate, OfferingPeer } from "./offering-peer.ts";
import { SharedRelay } from "./shared-relay.ts";

class Recorder implements MediaLegListener {
  readonly received: number[] = [];
  readonly states: (readonly [MediaLegState, MediaDownReason?])[] = [];

  onIceConnected(): void {}

  onState(state: MediaLegState, reason?: MediaDownReason): void {
    this.states.push(reason === undefined ? [state] : [state, reason]);
  }

  /** Keeps the first byte of the payload. */
  onRtp(packet: Uint8Array): void {
    this.received.push(packet[12] ?? -1);
  }

  onRtcp(): void {}
}

interface Call {
  readonly offerer: OfferingPeer;
  readonly recorder: Recorder;
  readonly leg: MediaLeg;
}

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function createEngine(options: TransportEngineOptions = {}): Promise<TransportEngine> {
  const engine = await createTransportEngine({ bindAddress: "127.0.0.1", ...options });
  closers.push(() => engine.close());
  return engine;
}

async function openCall(
  engine: TransportEngine,
  offerer: OfferingPeer,
  offer: AudioDescription,
): Promise<Call> {
  const recorder = new Recorder();
  const leg = await engine.openLeg(offer, recorder);
  offerer.answer(leg.local);
  return { offerer, recorder, leg };
}

function createOfferer(address?: string): OfferingPeer {
  const offerer = new OfferingPeer("actpass", address);
  closers.push(() => offerer.close());
  return offerer;
}

async function connected(...calls: readonly Call[]): Promise<void> {
  for (const { leg } of calls) leg.connect();
  for (const { recorder, offerer } of calls) {
    await vi.waitFor(() => expect(recorder.states).toEqual([["connected"]]), 10_000);
    await vi.waitFor(() => expect(offerer.isOpen).toBe(true), 10_000);
  }
}

function rtpPacket(ssrc: number, payload: number): Uint8Array {
  const packet = new Uint8Array(32).fill(payload, 12);
  packet.set([0x80, 111, 0, 1]);
  new DataView(packet.buffer).setUint32(8, ssrc);
  return packet;
}

/** Each call's audio arrives where it belongs, and nowhere else. */
async function expectOwnAudio(calls: readonly Call[]): Promise<void> {
  for (const [i, { offerer, leg }] of calls.entries()) {
    offerer.send(rtpPacket(7, i));
    expect(leg.sendRtp(rtpPacket(leg.local.ssrc, 100 + i))).toBe(true);
  }
  for (const [i, { offerer, recorder }] of calls.entries()) {
    await eventually(() => expect(recorder.received).toEqual([i]));
    await eventually(() => expect(offerer.received.map((packet) => packet[12])).toEqual([100 + i]));
  }
}

/** A logger that keeps the messages of one level. */
function recordLines(level: "info" | "error", lines: string[]): Logger {
  const logger: Logger = {
    ...silentLogger,
    child: () => logger,
    [level]: (_fields: object, message: string) => lines.push(message),
  };
  return logger;
}

/** Our own side as the other side's SDP parser would give it. */
function describeSide(local: LocalAudio, iceLite = false, setup: DtlsSetup = local.setup): AudioDescription {
  return {
    mid: "audio",
    iceUfrag: local.iceUfrag,
    icePwd: local.icePwd,
    iceLite,
    fingerprints: [{ algorithm: "sha-256", value: local.sha256Fingerprint }],
    setup,
    candidates: local.candidates,
    opus: { payloadType: 111, parameters: "" },
    telephoneEvent: null,
    ssrc: local.ssrc,
  };
}

describe("the transport engine", () => {
  test("carries 20 calls on one port, each apart", async () => {
    const engine = await createEngine();
    const calls: Call[] = [];
    for (let i = 0; i < 20; i += 1) {
      const offerer = createOfferer();
      calls.push(await openCall(engine, offerer, await offerer.offer()));
    }
    await connected(...calls);
    const ports = new Set(calls.flatMap(({ leg }) => leg.local.candidates.map(({ port }) => port)));
    expect([...ports]).toEqual([engine.port]);
    await expectOwnAudio(calls);
    expect(engine.stats()).toMatchObject({
      legs: 20,
      extraPorts: 0,
      sendsDropped: 0,
      sendsFailed: 0,
      unknownSenders: 0,
    });
    expect(engine.stats().dropped).toMatchObject({ "srtp-auth": 0, "srtp-replay": 0, unknown: 0 });
  });

  test("gives a call whose peer has another call's address a port of its own, for as long as it lasts", async () => {
    const lines: string[] = [];
    const engine = await createEngine({ logger: recordLines("info", lines) });
    const offerers = [createOfferer(), createOfferer(), createOfferer()];
    const offers = await Promise.all(offerers.map((offerer) => offerer.offer()));
    const peerPorts = new Map(offers.map((offer) => [offer.iceUfrag, offer.candidates[0]?.port ?? 0]));
    const relay = await SharedRelay.open(peerPorts);
    closers.push(() => relay[Symbol.asyncDispose]());
    const candidates = [hostCandidate(relay.port)];
    // All at once: they must not take the same further port either.
    const calls = await Promise.all(
      offerers.map((offerer, i) => {
        const offer = offers[i];
        if (offer === undefined) throw new Error("no offer");
        return openCall(engine, offerer, { ...offer, candidates });
      }),
    );
    const ports = calls.map(({ leg }) => leg.local.candidates[0]?.port);
    expect(ports[0]).toBe(engine.port);
    expect(new Set(ports).size).toBe(3);
    await connected(...calls);
    await expectOwnAudio(calls);
    expect(relay.legs).toBe(3);
    expect(engine.stats()).toMatchObject({ legs: 3, extraPorts: 2, extraPortsOpened: 2 });
    expect(lines).toEqual([expect.stringContaining("opened a further UDP port")]);

    // A call of another peer is back on the one port, and finds it as the first call left it.
    calls[0]?.leg.close();
    const offerer = createOfferer();
    const later = await openCall(engine, offerer, await offerer.offer());
    expect(later.leg.local.candidates[0]?.port).toBe(engine.port);
    calls[1]?.leg.close();
    calls[2]?.leg.close();
    expect(engine.stats()).toMatchObject({ legs: 1, extraPorts: 0, extraPortsOpened: 2 });
    expect(engine.stats().received).toBeGreaterThan(10);
  });

  test("closes a further port also when the call that made it necessary ended meanwhile", async () => {
    const engine = await createEngine();
    const offer = await createOfferer().offer();
    const first = await engine.openLeg(offer, new Recorder());
    const opening = engine.openLeg(offer, new Recorder());
    first.close();
    const second = await opening;
    expect(engine.stats()).toMatchObject({ legs: 1, extraPorts: 1 });
    second.close();
    expect(engine.stats()).toMatchObject({ legs: 0, extraPorts: 0 });
  });

  test("ends the one call that its own fault breaks, with a reason, and logs the fault", async () => {
    let isBroken = false;
    const faults: string[] = [];
    const engine = await createEngine({
      random: (byteLength) => {
        if (isBroken) throw new Error("no randomness");
        return systemRandom(byteLength);
      },
      logger: recordLines("error", faults),
    });
    const [healthy, broken] = [createOfferer(), createOfferer()];
    const call = await openCall(engine, healthy, await healthy.offer());
    await connected(call);
    const { leg, recorder } = await openCall(engine, broken, await broken.offer());
    isBroken = true;
    leg.connect();
    isBroken = false;
    expect(recorder.states).toEqual([["failed", "engine-error"]]);
    expect(faults).toEqual(["media transport broke down"]);
    expect(engine.stats().legs).toBe(1);
    await expectOwnAudio([call]);
  });

  test("goes on when a listener throws", async () => {
    const faults: string[] = [];
    const engine = await createEngine({ logger: recordLines("error", faults) });
    const offerer = createOfferer();
    const recorder = new Recorder();
    const fault = (): never => {
      throw new Error("listener's own");
    };
    const listener: MediaLegListener = {
      onIceConnected: fault,
      onState: (state) => {
        recorder.onState(state);
        fault();
      },
      onRtp: (packet) => {
        recorder.onRtp(packet);
        fault();
      },
      onRtcp: fault,
    };
    const leg = await engine.openLeg(await offerer.offer(), listener);
    offerer.answer(leg.local);
    const call = { offerer, recorder, leg };
    await connected(call);
    await expectOwnAudio([call]);
    expect(faults).toEqual(["media listener failed", "media listener failed", "packet listener failed"]);
  });

  test("loses no time on a peer's addresses that no route leads to", async () => {
    // Time stands still: whatever is put off never happens.
    const clock = new ManualClock();
    const engine = await createEngine({ clock, timers: clock });
    const checked: (string | null)[] = [];
    const peer = await UdpSocket.bind({
      address: "127.0.0.1",
      port: 0,
      onDatagram: (datagram) => checked.push(readLocalUfrag(datagram)),
      onError: () => {},
    });
    closers.push(() => peer.close());
    // From a loopback address there is no way to another machine's.
    const unreachable = [7, 8, 9].map((last) => ({ ...hostCandidate(3480), address: `192.0.2.${last}` }));
    const candidates = [...unreachable, { ...hostCandidate(peer.port), priority: 1 }];
    const offer = { ...(await createOfferer().offer()), candidates };
    const leg = await engine.openLeg(offer, new Recorder());
    leg.connect();
    await eventually(() => expect(checked).toEqual([offer.iceUfrag]));
    expect(engine.stats().sendsFailed).toBe(3);
  });

  test("keeps nothing of a leg that could not be opened", async () => {
    let isBroken = false;
    const engine = await createEngine({
      random: (byteLength) => {
        if (isBroken) throw new Error("no randomness");
        return systemRandom(byteLength);
      },
    });
    const offer = await createOfferer().offer();
    // What is random comes before the place on the port, and after it.
    for (const call of [1, 2, 3, 4, 5, 6]) {
      const opening = engine.openLeg({ ...offer, iceUfrag: `user${call}` }, new Recorder());
      isBroken = true;
      await expect(opening).rejects.toThrow("no randomness");
      isBroken = false;
    }
    await engine.openLeg(offer, new Recorder());
    expect(engine.stats()).toMatchObject({ legs: 1, extraPorts: 0, extraPortsOpened: 0 });
  });

  test("opens no leg when it is closed meanwhile", async () => {
    const engine = await createEngine();
    const offer = await createOfferer().offer();
    await engine.openLeg(offer, new Recorder());
    const opening = engine.openLeg(offer, new Recorder());
    const closed = engine.close();
    await expect(opening).rejects.toMatchObject({
      code: "MEDIA_ENGINE_FAILED",
      details: { reason: "closed" },
    });
    await closed;
    expect(engine.stats()).toMatchObject({ legs: 0, extraPorts: 0 });
  });

  test("has given back every port when it is closed, also one that was being opened, and still tells its own", async () => {
    const free = await createEngine();
    const extraPorts = { begin: free.port, end: free.port };
    await free.close();
    expect(free.port).toBe(extraPorts.begin);
    const engine = await createEngine({ extraPorts });
    const offer = await createOfferer().offer();
    await engine.openLeg(offer, new Recorder());
    const opening = engine.openLeg(offer, new Recorder()).catch(() => {});
    await engine.close();
    await createEngine({ port: extraPorts.begin });
    await opening;
  });

  test("says which range has no free port for such a call", async () => {
    const other = await createEngine();
    const extraPorts = { begin: other.port, end: other.port };
    const engine = await createEngine({ extraPorts });
    const offerer = createOfferer();
    const offer = await offerer.offer();
    await engine.openLeg(offer, new Recorder());
    await expect(engine.openLeg(offer, new Recorder())).rejects.toMatchObject({
      code: "MEDIA_ENGINE_FAILED",
      message: expect.stringContaining(`extraPorts ${other.port}-${other.port} has no free port`),
    });
    expect(engine.stats().legs).toBe(1);
  });

  test.runIf(hasAddress("::1"))("carries a call over IPv6", async () => {
    const engine = await createEngine({ bindAddress: "::1" });
    const offerer = createOfferer("::1");
    const call = await openCall(engine, offerer, await offerer.offer());
    expect(call.leg.local.candidates).toMatchObject([{ address: "::1", port: engine.port }]);
    await connected(call);
    await expectOwnAudio([call]);
  });

  test("announces all reachable addresses on one port number when it is bound to none", async () => {
    const engine = await createTransportEngine();
    closers.push(() => engine.close());
    expect(engine.addresses.length).toBeGreaterThan(0);
    const { leg } = await engine.openOffer({}, new Recorder());
    expect(leg.local.candidates.map(({ address }) => address)).toEqual(engine.addresses);
    expect(new Set(leg.local.candidates.map(({ port }) => port))).toEqual(new Set([engine.port]));
  });

  test("announces the public address in the place of its own", async () => {
    const engine = await createEngine({ publicAddress: "203.0.113.7" });
    expect(engine.addresses).toEqual(["203.0.113.7"]);
    const { leg } = await engine.openOffer({}, new Recorder());
    expect(leg.local.candidates).toMatchObject([{ address: "203.0.113.7", port: engine.port }]);
  });

  test("says which port it cannot have, why, and what to do", async () => {
    const { port } = await createEngine();
    await expect(createEngine({ port })).rejects.toMatchObject({
      code: "MEDIA_ENGINE_FAILED",
      message: expect.stringMatching(`UDP port ${port} on 127.0.0.1: EADDRINUSE`),
    });
  });

  test.each([
    [{ bindAddress: "localhost" }, "bindAddress"],
    [{ publicAddress: "203.0.113.700" }, "publicAddress"],
    [{ publicAddress: "2001:db8::7" }, "publicAddress"],
    [{ port: 65_536 }, "port"],
    [{ extraPorts: { begin: 9000, end: 8000 } }, "extraPorts"],
    [{ extraPorts: { begin: 0, end: 8000 } }, "extraPorts"],
  ])("options %j are refused with the name of the option", async (options, option) => {
    await expect(createEngine(options)).rejects.toMatchObject({
      code: "OPTION_INVALID",
      details: { option },
    });
  });
});

describe("a call that we offer", () => {
  test.each([
    ["full", "active"],
    ["full", "passive"],
    ["lite", "passive"],
    ["lite", "active"],
  ] as const)(
    "from a %s agent connects with an answer that says %s, and ends on both sides",
    async (kind, answered) => {
      const iceLite = kind === "lite";
      const [offering, answering] = [await createEngine(), await createEngine()];
      const [ours, theirs] = [new Recorder(), new Recorder()];
      const offer = await offering.openOffer({ iceLite }, ours);
      expect(offer.leg.local.setup).toBe("actpass");
      offer.leg.connect();
      const offeredSetup = answered === "active" ? "passive" : "active";
      const leg = await answering.openLeg(describeSide(offer.leg.local, iceLite, offeredSetup), theirs);
      expect(leg.local.setup).toBe(answered);
      await offer.accept(describeSide(leg.local));
      leg.connect();
      await vi.waitFor(() =>
        expect([ours.states, theirs.states]).toEqual([[["connected"]], [["connected"]]]),
      );
      offer.leg.sendRtp(rtpPacket(offer.leg.local.ssrc, 1));
      leg.sendRtp(rtpPacket(leg.local.ssrc, 2));
      await eventually(() => expect([ours.received, theirs.received]).toEqual([[2], [1]]));
      await expect(offer.accept(describeSide(leg.local))).rejects.toMatchObject({
        code: "MEDIA_ENGINE_FAILED",
      });
      leg.close();
      await eventually(() => expect(ours.states).toEqual([["connected"], ["closed", "dtls-peer-closed"]]));
      expect(theirs.states).toEqual([["connected"]]);
      expect([offering.stats().legs, answering.stats().legs]).toEqual([0, 0]);
    },
  );

  test("moves to another port when the answer names another call's peer", async () => {
    const [offering, answering] = [await createEngine(), await createEngine()];
    const legs: MediaLeg[] = [];
    for (let i = 0; i < 2; i += 1) {
      const offer = await offering.openOffer({}, new Recorder());
      const recorder = new Recorder();
      // Two offers of one engine: to the one that answers, they come from one address, and it has a port for each.
      const leg = await answering.openLeg(describeSide(offer.leg.local), recorder);
      await offer.accept(describeSide({ ...leg.local, candidates: [hostCandidate(answering.port)] }));
      legs.push(leg);
    }
    expect(offering.stats()).toMatchObject({ legs: 2, extraPorts: 1 });
    expect(answering.stats()).toMatchObject({ legs: 2, extraPorts: 1 });
  });

  test("is refused an answer without a usable fingerprint or setup", async () => {
    const engine = await createEngine();
    const offer = await engine.openOffer({}, new Recorder());
    const answer = describeSide(offer.leg.local, false, "active");
    await expect(offer.accept({ ...answer, fingerprints: [] })).rejects.toMatchObject({
      details: { reason: "no usable fingerprint" },
    });
    await expect(offer.accept({ ...answer, setup: "actpass" })).rejects.toMatchObject({
      details: { reason: "no usable setup" },
    });
    offer.leg.close();
    await expect(offer.accept(answer)).rejects.toMatchObject({ details: { reason: "closed" } });
  });
});

function hasAddress(address: string): boolean {
  return Object.values(networkInterfaces()).some((infos) => infos?.some((info) => info.address === address));
}
