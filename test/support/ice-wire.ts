import type { IceCandidate } from "../../src/core/sdp/model.ts";
import type { TransportAddress } from "../../src/core/transport/address.ts";
import {
  IceAgent,
  type IceAgentOptions,
  type IceCredentials,
  type IceEndReason,
  type IceSink,
} from "../../src/core/transport/ice/ice-agent.ts";
import { StunView } from "../../src/core/transport/stun/stun-view.ts";

/** One datagram as it left its sender, whether it arrived or not. */
export interface SentDatagram {
  readonly atMs: number;
  readonly from: TransportAddress;
  readonly to: TransportAddress;
  readonly bytes: Uint8Array;
}

/** Something with an address on the wire. */
export interface WireHost {
  /** Where others see it; a test that changes it is a NAT that forgets. */
  address: TransportAddress;
  readonly deadlineMs: number;
  receive(datagram: Uint8Array, from: TransportAddress, nowMs: number): void;
  handleTimeout(nowMs: number): void;
}

/** A network in virtual time: every datagram takes `oneWayMs`, unless `isLost` says that it is. */
export class IceWire {
  nowMs = 0;
  oneWayMs = 10;
  isLost: (datagram: SentDatagram) => boolean = () => false;
  readonly sent: SentDatagram[] = [];
  readonly #hosts: WireHost[] = [];
  #flying: (SentDatagram & { readonly dueMs: number })[] = [];

  attach(host: WireHost): void {
    this.#hosts.push(host);
  }

  send(bytes: Uint8Array, from: TransportAddress, to: TransportAddress): void {
    const datagram = { atMs: this.nowMs, from: { ...from }, to: { ...to }, bytes: Uint8Array.from(bytes) };
    this.sent.push(datagram);
    if (!this.isLost(datagram)) this.#flying.push({ ...datagram, dueMs: this.nowMs + this.oneWayMs });
  }

  /** Lets `ms` pass. */
  advance(ms: number): void {
    const untilMs = this.nowMs + ms;
    for (let turns = 0; ; turns += 1) {
      if (turns > 1_000_000) throw new Error("the hosts do not come to rest");
      const nextMs = Math.min(
        ...this.#flying.map((datagram) => datagram.dueMs),
        ...this.#hosts.map((host) => host.deadlineMs),
      );
      if (nextMs > untilMs) break;
      this.nowMs = Math.max(this.nowMs, nextMs);
      this.#deliver();
      for (const host of this.#hosts) if (host.deadlineMs <= this.nowMs) host.handleTimeout(this.nowMs);
    }
    this.nowMs = untilMs;
  }

  #deliver(): void {
    const arriving = this.#flying.filter((datagram) => datagram.dueMs <= this.nowMs);
    this.#flying = this.#flying.filter((datagram) => datagram.dueMs > this.nowMs);
    for (const { bytes, from, to } of arriving) {
      for (const host of this.#hosts) {
        const isThere = host.address.port === to.port && host.address.address === to.address;
        if (isThere) host.receive(bytes, from, this.nowMs);
      }
    }
  }
}

/** An agent on the wire, and what it has told its sink. */
export class AgentHost implements WireHost, IceSink {
  address: TransportAddress;
  readonly agent: IceAgent;
  readonly selections: TransportAddress[] = [];
  readonly peerAddresses: TransportAddress[] = [];
  readonly forgotten: TransportAddress[] = [];
  readonly ends: IceEndReason[] = [];
  /** When it ended. */
  endedAtMs: number | null = null;
  readonly #wire: IceWire;

  constructor(wire: IceWire, address: TransportAddress, options: IceAgentOptions) {
    this.#wire = wire;
    this.address = address;
    this.agent = new IceAgent(options, this);
    wire.attach(this);
  }

  get deadlineMs(): number {
    return this.agent.deadlineMs;
  }

  receive(datagram: Uint8Array, from: TransportAddress, nowMs: number): void {
    this.agent.receive(datagram, from, nowMs);
  }

  handleTimeout(nowMs: number): void {
    this.agent.handleTimeout(nowMs);
  }

  sendStun(message: Uint8Array, to: TransportAddress): void {
    this.#wire.send(message, this.address, to);
  }

  onSelected(to: TransportAddress): void {
    this.selections.push(to);
  }

  onPeerAddress(at: TransportAddress): void {
    this.peerAddresses.push(at);
  }

  onPeerAddressForgotten(at: TransportAddress): void {
    this.forgotten.push(at);
  }

  onEnd(reason: IceEndReason): void {
    this.ends.push(reason);
    this.endedAtMs = this.#wire.nowMs;
  }
}

export const OURS: IceCredentials = { ufrag: "ours", pwd: "our-password-of-22-chars" };
export const THEIRS: IceCredentials = { ufrag: "them", pwd: "their-password-of-22-char" };
export const US: TransportAddress = { address: "192.0.2.1", port: 4_000 };
export const PEER: TransportAddress = { address: "198.51.100.2", port: 5_000 };
/** Nobody is there. */
export const NOWHERE: TransportAddress = { address: "203.0.113.9", port: 9 };

export function candidate(at: TransportAddress, priority = 2_000_000_000): IceCandidate {
  return { foundation: "1", componentId: 1, transport: "udp", priority, ...at, type: "host" };
}

export interface AgentSettings extends Partial<IceAgentOptions> {
  readonly candidates?: readonly IceCandidate[];
  readonly peerIsLite?: boolean;
  readonly seed?: number;
}

/** One of two agents that know each other's candidate: we control, the peer is controlled, both are full. */
export function addAgent(wire: IceWire, side: "us" | "peer", settings: AgentSettings = {}): AgentHost {
  const [local, remote] = side === "us" ? [OURS, THEIRS] : [THEIRS, OURS];
  const candidates = settings.candidates ?? [candidate(side === "us" ? PEER : US)];
  return new AgentHost(wire, side === "us" ? US : PEER, {
    local,
    remote: { ...remote, isLite: settings.peerIsLite ?? false, candidates },
    isLite: false,
    isControlling: side === "us",
    ipVersions: [4, 6],
    random: seededRandom(settings.seed ?? (side === "us" ? 1 : 2)),
    ...settings,
  });
}

export function start(wire: IceWire, ...hosts: readonly AgentHost[]): void {
  for (const each of hosts) each.agent.start(wire.nowMs);
}

/** Random bytes that are the same for the same seed (mulberry32). */
export function seededRandom(seed: number): (byteLength: number) => Uint8Array {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  return (byteLength) => Uint8Array.from({ length: byteLength }, () => next() & 0xff);
}

/** The message of a datagram on the wire. */
export function readSent(datagram: { readonly bytes: Uint8Array }): StunView {
  const view = new StunView();
  const fault = view.read(datagram.bytes);
  if (fault !== null) throw new Error(`sent a message with a fault: ${fault}`);
  return view;
}
