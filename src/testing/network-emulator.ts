import type { TransportAddress } from "../core/transport/address.ts";
import type { Clock } from "../platform/clock.ts";
import type { Timers } from "../platform/timers.ts";
import {
  type DatagramFate,
  decideFate,
  type LinkOptions,
  type LinkSettings,
  toSettings,
} from "./network-link.ts";
import { SeededRandom } from "./seeded-random.ts";

/** A datagram on its way, as a rule sees it. */
export interface EmulatedDatagram {
  /** Valid only during the call. */
  readonly bytes: Uint8Array;
  /** The sender's own address, whatever a NAT makes of it. */
  readonly from: TransportAddress;
  /** Where it was sent to. */
  readonly to: TransportAddress;
  /** 1 for the first datagram that this sender sent to this receiver. */
  readonly index: number;
}

export interface NetworkEmulatorOptions {
  /** Time and timers, mostly a `ManualClock`: what is sent arrives when the clock is advanced. */
  readonly clock: Clock & Timers;
  /** The same seed and the same datagrams give the same network. Default 1. */
  readonly seed?: number;
  /** What the network does to datagrams in each direction. Default: 1 ms of delay, nothing else. */
  readonly link?: LinkOptions;
  /** Datagrams under way at most; what is sent beyond is dropped. Default 10 000. */
  readonly maxInFlight?: number;
}

/** What became of the datagrams. Each one sent is delivered, still in flight, or in one of the five reasons for a drop. */
export interface NetworkCounters {
  readonly sent: number;
  /** Copies included. */
  readonly delivered: number;
  /** Copies made by duplication. */
  readonly duplicated: number;
  /** Held back so that later ones overtook them. */
  readonly reordered: number;
  /** Dropped at random. */
  readonly lost: number;
  /** Dropped by a rule. */
  readonly dropped: number;
  /** Sent while the network was cut. */
  readonly cut: number;
  /** Sent to an address that nobody has (any more). */
  readonly unreachable: number;
  /** Dropped because too many were under way. */
  readonly overflowed: number;
}

interface Endpoint {
  readonly address: TransportAddress;
  readonly receive: (datagram: Uint8Array, from: TransportAddress) => void;
  /** As others see it. */
  seenAs: TransportAddress;
  /** Datagrams sent so far to each receiver. */
  readonly sentTo: Map<Endpoint, number>;
}

type Rule = (datagram: EmulatedDatagram) => boolean;

/**
 * A bad network in virtual time: loss, duplication, reordering, delay, jitter, single drops, cuts and a NAT that changes its mind.
 * It joins parties that send and receive bytes without sockets.
 *
 * @example
 * const clock = new ManualClock();
 * const network = new NetworkEmulator({ clock, seed: 7, link: { loss: 0.1, delayMs: 20, jitterMs: 30 } });
 * network.attach(alice, (datagram, from) => transport.receive(datagram, from, clock.nowMs()));
 * network.attach(bob, …);
 * network.dropNth(alice, bob, 3);
 * network.send(alice, bob, bytes);
 * clock.advance(100);
 */
export class NetworkEmulator {
  readonly #clock: Clock & Timers;
  readonly #random: SeededRandom;
  readonly #maxInFlight: number;
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #bySeenAs = new Map<string, Endpoint>();
  readonly #links = new Map<string, LinkSettings>();
  readonly #rules = new Set<Rule>();
  #link: LinkSettings;
  #cutUntilMs = Number.NEGATIVE_INFINITY;
  #inFlight = 0;
  readonly #counters = {
    sent: 0,
    delivered: 0,
    duplicated: 0,
    reordered: 0,
    lost: 0,
    dropped: 0,
    cut: 0,
    unreachable: 0,
    overflowed: 0,
  };

  /** @throws {RingbackError} `OPTION_INVALID`. */
  constructor(options: NetworkEmulatorOptions) {
    this.#clock = options.clock;
    this.#random = new SeededRandom(options.seed ?? 1);
    this.#link = toSettings(options.link ?? {});
    this.#maxInFlight = options.maxInFlight ?? 10_000;
  }

  /** Datagrams under way. */
  get inFlight(): number {
    return this.#inFlight;
  }

  counters(): NetworkCounters {
    return { ...this.#counters };
  }

  /**
   * Joins a party to the network, in place of one that had this address.
   *
   * @param receive Takes what arrives and the address that it comes from. The bytes are the party's own.
   */
  attach(address: TransportAddress, receive: (datagram: Uint8Array, from: TransportAddress) => void): void {
    const endpoint: Endpoint = { address, receive, seenAs: address, sentTo: new Map() };
    const former = this.#endpoints.get(keyOf(address));
    if (former !== undefined) this.#bySeenAs.delete(keyOf(former.seenAs));
    this.#endpoints.set(keyOf(address), endpoint);
    this.#bySeenAs.set(keyOf(address), endpoint);
  }

  /**
   * Sends a copy of `bytes`. It arrives within a later `advance` of the clock, if it does.
   *
   * @param from The sender's own address, as it was attached.
   * @param to An address as the sender sees it.
   */
  send(from: TransportAddress, to: TransportAddress, bytes: Uint8Array): void {
    this.#counters.sent += 1;
    const sender = this.#endpoints.get(keyOf(from));
    const receiver = this.#bySeenAs.get(keyOf(to));
    if (sender === undefined || receiver === undefined) {
      this.#counters.unreachable += 1;
      return;
    }
    const index = (sender.sentTo.get(receiver) ?? 0) + 1;
    sender.sentTo.set(receiver, index);
    const settings = this.#links.get(directionKey(sender.address, receiver.address)) ?? this.#link;
    // Drawn for every datagram, so that a rule or a cut leaves the fate of all others as it was.
    const fate = decideFate(settings, this.#random);
    if (!this.#passes({ bytes, from: sender.address, to, index }, fate)) return;
    if (fate.isReordered) this.#counters.reordered += 1;
    this.#deliverLater(sender, to, bytes, fate.delayMs);
    if (!fate.isDuplicated) return;
    this.#counters.duplicated += 1;
    this.#deliverLater(sender, to, bytes, fate.copyDelayMs);
  }

  /**
   * Changes the network from now on, in both directions or in the given one. What is not named takes its default.
   * @throws {RingbackError} `OPTION_INVALID`.
   */
  setLink(options: LinkOptions, from?: TransportAddress, to?: TransportAddress): void {
    if (from !== undefined && to !== undefined) {
      this.#links.set(directionKey(from, to), toSettings(options));
      return;
    }
    this.#link = toSettings(options);
    this.#links.clear();
  }

  /** Drops what `rule` says true of. It is asked once per datagram, also about what would be lost anyway. */
  dropIf(rule: (datagram: EmulatedDatagram) => boolean): { stop(): void } {
    this.#rules.add(rule);
    return { stop: () => this.#rules.delete(rule) };
  }

  /**
   * Drops one datagram by its number, 1 being the first that `from` sends to `to`.
   *
   * @param to The receiver's own address, whatever a NAT makes of it.
   */
  dropNth(from: TransportAddress, to: TransportAddress, index: number): void {
    const rule = this.dropIf((datagram) => {
      if (datagram.index !== index || keyOf(datagram.from) !== keyOf(from)) return false;
      if (this.#bySeenAs.get(keyOf(datagram.to)) !== this.#endpoints.get(keyOf(to))) return false;
      rule.stop();
      return true;
    });
  }

  /**
   * From now on others see a party at another address, as after a NAT forgot it: what it sends comes from there, what is sent
   * there reaches it, and what is sent to the address before reaches nobody. What is under way arrives or not by the same rule.
   */
  rebind(address: TransportAddress, seenAs: TransportAddress): void {
    const endpoint = this.#endpoints.get(keyOf(address));
    if (endpoint === undefined) throw new Error("No party was attached at this address.");
    this.#bySeenAs.delete(keyOf(endpoint.seenAs));
    endpoint.seenAs = seenAs;
    this.#bySeenAs.set(keyOf(seenAs), endpoint);
  }

  /** Drops all that is sent for this time, in ms, or until `heal`. What is under way still arrives. */
  cut(forMs: number = Number.POSITIVE_INFINITY): void {
    this.#cutUntilMs = this.#clock.nowMs() + forMs;
  }

  /** Ends a cut. */
  heal(): void {
    this.#cutUntilMs = Number.NEGATIVE_INFINITY;
  }

  #passes(datagram: EmulatedDatagram, fate: DatagramFate): boolean {
    let isDropped = false;
    for (const rule of this.#rules) if (rule(datagram)) isDropped = true;
    if (isDropped) this.#counters.dropped += 1;
    else if (this.#clock.nowMs() < this.#cutUntilMs) this.#counters.cut += 1;
    else if (fate.isLost) this.#counters.lost += 1;
    else return true;
    return false;
  }

  #deliverLater(sender: Endpoint, to: TransportAddress, bytes: Uint8Array, delayMs: number): void {
    if (this.#inFlight >= this.#maxInFlight) {
      this.#counters.overflowed += 1;
      return;
    }
    this.#inFlight += 1;
    const copy = bytes.slice();
    const from = sender.seenAs;
    this.#clock.setTimer(delayMs, () => {
      this.#inFlight -= 1;
      const receiver = this.#bySeenAs.get(keyOf(to));
      if (receiver === undefined) {
        this.#counters.unreachable += 1;
        return;
      }
      this.#counters.delivered += 1;
      receiver.receive(copy, from);
    });
  }
}

function keyOf({ address, port }: TransportAddress): string {
  return `${address} ${port}`;
}

function directionKey(from: TransportAddress, to: TransportAddress): string {
  return `${keyOf(from)} ${keyOf(to)}`;
}
