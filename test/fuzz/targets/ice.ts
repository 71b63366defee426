import type { TransportAddress } from "../../../src/core/transport/address.ts";
import { createIntegrityKey } from "../../../src/core/transport/stun/message-integrity.ts";
import { StunView } from "../../../src/core/transport/stun/stun-view.ts";
import {
  type AgentHost,
  addAgent,
  IceWire,
  NOWHERE,
  OURS,
  PEER,
  start,
  THEIRS,
  US,
} from "../../support/ice-wire.ts";
import { stunLayout } from "../layouts.ts";
import { sealStun } from "../stun-seal.ts";
import { type FuzzTarget, must } from "../target.ts";

const KEYS = [createIntegrityKey(OURS.pwd), createIntegrityKey(THEIRS.pwd)] as const;
/** Longer than checks need, shorter than consent takes to expire. */
const SETTLING_MS = 10_000;

function iceTarget(name: string, isPeerLite: boolean): FuzzTarget {
  const pair = (): Pair => new Pair(isPeerLite);
  const recorded = pair().record();
  return { name, layoutOf: stunLayout, open: () => new IceSubject(pair(), recorded) };
}

class Pair {
  readonly wire = new IceWire();
  readonly us: AgentHost;
  readonly peer: AgentHost;

  constructor(isPeerLite: boolean) {
    this.us = addAgent(this.wire, "us", { peerIsLite: isPeerLite });
    this.peer = addAgent(this.wire, "peer", isPeerLite ? { isLite: true, candidates: [] } : {});
    start(this.wire, this.us, this.peer);
  }

  record(): readonly Uint8Array[] {
    this.wire.advance(SETTLING_MS);
    return this.wire.sent.map(({ bytes }) => bytes).slice(0, 30);
  }
}

class IceSubject {
  readonly samples: Uint8Array[];
  readonly #pair: Pair;
  readonly #recordedCount: number;
  readonly #view = new StunView();
  #fromStrangersBytes = 0;
  #toStrangersBytes = 0;
  /** Somebody has said something authentic that the two did not say to each other: anything may come of it. */
  #isMisled = false;

  constructor(pair: Pair, recorded: readonly Uint8Array[]) {
    this.#pair = pair;
    this.samples = [...recorded];
    this.#recordedCount = recorded.length;
  }

  take(mutated: Uint8Array, { choice, waitMs }: { readonly choice: number; readonly waitMs: number }): void {
    const { wire, us, peer } = this.#pair;
    wire.advance(waitMs);
    const [to, other] = choice % 2 === 0 ? [us, peer] : [peer, us];
    const from =
      [other.address, NOWHERE, { ...other.address, port: 7 }, to.address][(choice >> 1) % 4] ?? NOWHERE;
    const seal = (choice >> 3) % 4;
    const datagram = seal < 2 ? mutated : sealStun(mutated, seal === 3 ? (KEYS[choice >> 7] ?? null) : null);
    if (this.#isAuthentic(datagram) && (seal === 3 || from !== other.address)) this.#isMisled = true;
    if (from === NOWHERE) this.#fromStrangersBytes += datagram.length;
    this.#collect();
    to.receive(datagram, from, wire.nowMs);
    this.#collect();
  }

  check(): void {
    if (this.#isMisled) {
      this.#pair.wire.advance(SETTLING_MS);
      return;
    }
    must(this.#toStrangersBytes <= this.#fromStrangersBytes, "a stranger gets no more than he sends");
    const { wire, us, peer } = this.#pair;
    wire.advance(SETTLING_MS);
    for (const [host, address] of [
      [us, PEER],
      [peer, US],
    ] as const) {
      must(host.ends.length === 0, "what is not authentic ends nothing");
      must(isSame(host.agent.selected, address), "the two find each other");
      must(
        host.peerAddresses.every((at) => isSame(at, address)),
        "nobody else is taken for the peer",
      );
    }
  }

  #isAuthentic(datagram: Uint8Array): boolean {
    return this.#view.read(datagram) === null && KEYS.some((key) => this.#view.isAuthentic(key));
  }

  /** Counts what went to strangers, keeps some of it as samples, and forgets the rest. */
  #collect(): void {
    const { wire, us, peer } = this.#pair;
    for (const { to, bytes } of wire.sent.splice(0)) {
      if (isSame(to, NOWHERE)) this.#toStrangersBytes += bytes.length;
      if (this.samples.length < this.#recordedCount + 30) this.samples.push(bytes);
    }
    for (const told of [us, peer].flatMap((host) => [host.selections, host.peerAddresses, host.forgotten])) {
      if (told.length > 100) told.splice(0, 50);
    }
  }
}

function isSame(left: TransportAddress | null, right: TransportAddress): boolean {
  return left !== null && left.address === right.address && left.port === right.port;
}

/** Two agents that find each other while others send them what they like. */
export const ICE: FuzzTarget = iceTarget("ice", false);
/** The same with a peer that only answers. */
export const ICE_LITE: FuzzTarget = iceTarget("ice-lite", true);
