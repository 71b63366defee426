import type { Random } from "../../src/core/random.ts";
import type { TransportAddress } from "../../src/core/transport/address.ts";
import {
  CallTransport,
  type CallTransportSink,
  type TransportEndReason,
} from "../../src/core/transport/call-transport.ts";
import type { DtlsRole } from "../../src/core/transport/dtls/dtls-association.ts";
import { createCertificate, type DtlsCertificate } from "../../src/core/transport/dtls/dtls-certificate.ts";
import type { IceCredentials } from "../../src/core/transport/ice/ice-agent.ts";
import { createRtpHeader, RtpWriter, readRtp } from "../../src/core/transport/rtp/rtp.ts";
import { RtpReceiver } from "../../src/core/transport/rtp/rtp-receiver.ts";
import type { TimerHandle } from "../../src/platform/timers.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { NetworkEmulator, type NetworkEmulatorOptions } from "../../src/testing/network-emulator.ts";
import { SeededRandom } from "../../src/testing/seeded-random.ts";

export const OURS: TransportAddress = { address: "198.51.100.7", port: 40_000 };
/** As WhatsApp's relays have it. */
export const RELAY: TransportAddress = { address: "203.0.113.9", port: 3480 };

const SLOT_MS = 20;
const SLOT_TICKS = 960;
const PAYLOAD = Uint8Array.from({ length: 80 }, (_, i) => i);
const CERTIFICATES: Readonly<Record<DtlsRole, DtlsCertificate>> = {
  client: makeCertificate(1),
  server: makeCertificate(2),
};

function makeCertificate(seed: number): DtlsCertificate {
  const random = new SeededRandom(seed).bytes;
  return createCertificate({ nowMs: 1_790_000_000_000, lifetimeMs: 86_400_000, random });
}

export interface PairOptions extends Pick<NetworkEmulatorOptions, "seed" | "link"> {
  /** Of our side; the relay has the other one. Default client, as after an `actpass` offer. */
  readonly ourRole?: DtlsRole;
  /** Where both sides' RTP begins. Default: the wrap of the timestamp is 10 s away. */
  readonly firstSequence?: number;
  readonly firstTimestamp?: number;
  /** What our side believes the relay's fingerprint to be. Default the right one. */
  readonly expectedFingerprint?: string;
}

/** Our transport as it answers WhatsApp, and a transport of ours in the role of WhatsApp's relay, over a bad network in virtual time. */
export class CallPair {
  readonly clock = new ManualClock();
  readonly network: NetworkEmulator;
  readonly ours: Party;
  readonly relay: Party;

  constructor(options: PairOptions = {}) {
    const { seed = 1, link, ourRole = "client" } = options;
    this.network = new NetworkEmulator({ clock: this.clock, seed, ...(link === undefined ? {} : { link }) });
    const random = new SeededRandom(seed).bytes;
    const relayRole = ourRole === "client" ? "server" : "client";
    const shared = { pair: this, random, ...options };
    const ourIce = credentials(random);
    const relayIce = credentials(random);
    this.ours = new Party({
      ...shared,
      at: OURS,
      peer: RELAY,
      role: ourRole,
      local: ourIce,
      remote: relayIce,
    });
    const { expectedFingerprint: _, ...rest } = shared;
    this.relay = new Party({
      ...rest,
      at: RELAY,
      peer: OURS,
      role: relayRole,
      local: relayIce,
      remote: ourIce,
      isRelay: true,
    });
  }

  /** Both sides know each other's SDP: the relay listens, we check. */
  connect(): void {
    this.relay.connect();
    this.ours.connect();
  }

  get isConnected(): boolean {
    return this.ours.isConnected && this.relay.isConnected;
  }

  /** Advances time until both are connected or one is over; returns how long that took, in ms. */
  runUntilConnected(limitMs = 60_000): number {
    const startMs = this.clock.nowMs();
    while (!this.isConnected && !this.isOver && this.clock.nowMs() - startMs < limitMs) this.clock.advance(5);
    return this.clock.nowMs() - startMs;
  }

  get isOver(): boolean {
    return this.ours.end !== null || this.relay.end !== null;
  }

  /** A call of this length with 50 packets a second each way. */
  talk(durationMs: number): void {
    for (let slot = 0; slot < durationMs / SLOT_MS; slot += 1) {
      this.ours.sendNext();
      this.relay.sendNext();
      this.clock.advance(SLOT_MS);
    }
  }
}

function credentials(random: Random): IceCredentials {
  const text = (bytes: number): string => Buffer.from(random(bytes)).toString("base64url");
  return { ufrag: text(6), pwd: text(18) };
}

interface PartyOptions extends PairOptions {
  readonly pair: CallPair;
  readonly at: TransportAddress;
  readonly peer: TransportAddress;
  readonly role: DtlsRole;
  readonly local: IceCredentials;
  readonly remote: IceCredentials;
  readonly isRelay?: boolean;
  readonly random: Random;
}

/** One side of a call with its timer and its stream. */
export class Party implements CallTransportSink {
  readonly transport: CallTransport;
  readonly receiver = new RtpReceiver(48_000);
  readonly sent: Uint8Array[] = [];
  isConnected = false;
  end: TransportEndReason | null = null;
  badPayloads = 0;
  rtcpReceived = 0;
  packetsSent = 0;
  bytesSent = 0;
  readonly #at: TransportAddress;
  readonly #pair: CallPair;
  readonly #writer: RtpWriter;
  readonly #header = createRtpHeader();
  readonly #lent = new Uint8Array(2048);
  #slot = 0;
  #timer: { readonly handle: TimerHandle; readonly dueMs: number } | null = null;

  constructor(options: PartyOptions) {
    const { pair, at, peer, role, isRelay = false, firstSequence = 32_000 } = options;
    this.#at = at;
    this.#pair = pair;
    const otherRole = role === "client" ? "server" : "client";
    const fingerprint = options.expectedFingerprint ?? CERTIFICATES[otherRole].sha256Fingerprint;
    this.transport = new CallTransport(
      {
        ice: {
          local: options.local,
          remote: { ...options.remote, isLite: !isRelay, candidates: isRelay ? [] : [candidateOf(peer)] },
          isLite: isRelay,
          isControlling: !isRelay,
          ipVersions: [4],
        },
        dtls: {
          role,
          certificate: CERTIFICATES[role],
          remoteFingerprints: [{ algorithm: "sha-256", value: fingerprint }],
        },
        random: options.random,
      },
      this,
    );
    this.#writer = new RtpWriter({
      ssrc: isRelay ? 2 : 1,
      firstSequence,
      firstTimestamp: options.firstTimestamp ?? 2 ** 32 - 480_000,
    });
    pair.network.attach(at, (datagram, from) => this.receive(datagram, from));
  }

  connect(): void {
    this.transport.connect(this.#now);
    this.#arm();
  }

  receive(datagram: Uint8Array, from: TransportAddress): void {
    this.transport.receive(datagram, from, this.#now);
    this.#arm();
  }

  sendNext(): void {
    this.#slot += 1;
    if (this.transport.sendRtp(this.#writer.write(PAYLOAD, 111, this.#slot * SLOT_TICKS, false))) {
      this.packetsSent += 1;
    }
    this.#arm();
  }

  send(datagram: Uint8Array, to: TransportAddress): void {
    this.bytesSent += datagram.length;
    if (this.sent.length < 1_000) this.sent.push(datagram.slice());
    this.#pair.network.send(this.#at, to, datagram);
  }

  lend(): Uint8Array {
    return this.#lent;
  }

  sendLent(lengthBytes: number, to: TransportAddress): boolean {
    this.send(this.#lent.subarray(0, lengthBytes), to);
    return true;
  }

  onPeerAddress(): void {}

  onPeerAddressForgotten(): void {}

  onIceConnected(): void {}

  onConnected(): void {
    this.isConnected = true;
  }

  onRtp(packet: Uint8Array): void {
    if (readRtp(packet, this.#header) !== null) {
      this.badPayloads += 1;
      return;
    }
    const payload = packet.subarray(this.#header.payloadOffset);
    if (payload.length !== PAYLOAD.length || payload.some((byte, i) => byte !== i)) this.badPayloads += 1;
    this.receiver.receive(this.#header, this.#now, true);
  }

  onRtcp(): void {
    this.rtcpReceived += 1;
  }

  onEnd(reason: TransportEndReason): void {
    this.end = reason;
  }

  get #now(): number {
    return this.#pair.clock.nowMs();
  }

  #arm(): void {
    const dueMs = this.transport.deadlineMs;
    if (this.#timer !== null) {
      if (this.#timer.dueMs === dueMs) return;
      this.#pair.clock.clearTimer(this.#timer.handle);
      this.#timer = null;
    }
    if (!Number.isFinite(dueMs)) return;
    const handle = this.#pair.clock.setTimer(Math.max(0, dueMs - this.#now), () => {
      this.#timer = null;
      this.transport.handleTimeout(this.#now);
      this.#arm();
    });
    this.#timer = { handle, dueMs };
  }
}

function candidateOf({ address, port }: TransportAddress) {
  return {
    foundation: "1",
    componentId: 1,
    transport: "udp",
    priority: 2_122_260_223,
    address,
    port,
    type: "host",
  } as const;
}
