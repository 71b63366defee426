import type { TransportAddress } from "../../../src/core/transport/address.ts";
import { datagramKind } from "../../../src/core/transport/demultiplex.ts";
import type { DtlsRole } from "../../../src/core/transport/dtls/dtls-association.ts";
import { CallPair, OURS, RELAY } from "../../transport/call-pair.ts";
import { dtlsLayout, rtpLayout, stunLayout } from "../layouts.ts";
import type { Layout } from "../mutation.ts";
import { sealStun } from "../stun-seal.ts";
import { type FuzzStep, type FuzzSubject, type FuzzTarget, must } from "../target.ts";

const STRANGER: TransportAddress = { address: "192.0.2.66", port: 6666 };
const TALK_MS = 200;
const SLOT_MS = 20;
/** No transaction of anybody's. */
const NO_TRANSACTION = new Uint8Array(12).fill(0xee);

/** Calls that are up. Whatever comes without keys, they go on. */
export const CALL: FuzzTarget = callTarget("call", "client", true);
/** Calls that come up, while others send what they like. */
export const CALL_SETUP: FuzzTarget = callTarget("call-setup", "client", false);
export const CALL_SETUP_SERVER: FuzzTarget = callTarget("call-setup-server", "server", false);

function callTarget(name: string, ourRole: DtlsRole, isUp: boolean): FuzzTarget {
  const pair = openPair(ourRole);
  pair.runUntilConnected();
  pair.talk(TALK_MS);
  const recorded = [...pair.ours.sent, ...pair.relay.sent];
  return { name, layoutOf, open: () => new CallSubject(openPair(ourRole), recorded, isUp) };
}

function openPair(ourRole: DtlsRole): CallPair {
  const pair = new CallPair({ ourRole, link: { delayMs: 10 } });
  pair.connect();
  return pair;
}

function layoutOf(bytes: Uint8Array): Layout {
  const kind = datagramKind(bytes);
  if (kind === "stun") return stunLayout(bytes);
  return kind === "dtls" ? dtlsLayout(bytes) : rtpLayout(bytes);
}

class CallSubject implements FuzzSubject {
  readonly samples: readonly Uint8Array[];
  readonly #pair: CallPair;
  readonly #isUp: boolean;
  #fromStrangersBytes = 0;
  #toStrangersBytes = 0;
  /** Forged handshake messages from the peer's own address can spoil a handshake: nothing protects them. */
  #mayFail = false;

  constructor(pair: CallPair, recorded: readonly Uint8Array[], isUp: boolean) {
    this.#pair = pair;
    this.#isUp = isUp;
    pair.network.attach(STRANGER, (datagram) => {
      this.#toStrangersBytes += datagram.length;
    });
    if (isUp) {
      pair.runUntilConnected();
      pair.talk(TALK_MS);
      must(pair.isConnected, "the call is up");
    }
    this.samples = isUp ? [...pair.ours.sent, ...pair.relay.sent, ...recorded] : recorded;
  }

  take(mutated: Uint8Array, { choice, waitMs }: FuzzStep): void {
    this.#pair.clock.advance(this.#isUp ? waitMs : waitMs / 4);
    const isToUs = choice % 2 === 0;
    const origin = isToUs ? RELAY : OURS;
    const from = [origin, STRANGER, { ...origin, port: 7 }][(choice >> 1) % 3] ?? STRANGER;
    const datagram = this.#disguise(mutated, from === origin, (choice >> 3) % 2 === 0);
    if (from === STRANGER) this.#fromStrangersBytes += datagram.length;
    if (from === origin && !this.#isUp && datagramKind(datagram) === "dtls") this.#mayFail = true;
    this.#pair[isToUs ? "ours" : "relay"].receive(datagram, from);
  }

  check(): void {
    const pair = this.#pair;
    if (!this.#isUp) {
      pair.runUntilConnected();
      if (this.#mayFail && !pair.isConnected) return;
    }
    must(!pair.isOver, "nobody else can end the call");
    must(pair.isConnected, "the call comes up");
    this.#mustTalk();
    must(this.#toStrangersBytes <= this.#fromStrangersBytes, "a stranger gets no more than he sends");
  }

  #mustTalk(): void {
    const { ours, relay } = this.#pair;
    const before = [ours, relay].map(({ receiver }) => receiver.stats().packetsReceived);
    this.#pair.talk(TALK_MS);
    this.#pair.clock.advance(SLOT_MS);
    for (const [index, { receiver, badPayloads }] of [ours, relay].entries()) {
      const { packetsReceived, packetsDuplicate, packetsOutOfRange, ssrcChanges } = receiver.stats();
      must(packetsReceived - (before[index] ?? 0) === TALK_MS / SLOT_MS, "each packet arrives");
      must(packetsDuplicate + packetsOutOfRange + ssrcChanges + badPayloads === 0, "nothing else arrives");
    }
  }

  /** A STUN message with right ends, for which nobody needs a key; from another address it must not be a replay. */
  #disguise(mutated: Uint8Array, isFromPeer: boolean, isSealed: boolean): Uint8Array {
    if (datagramKind(mutated) !== "stun" || mutated.length < 20) return mutated;
    if (!isFromPeer) mutated.set(NO_TRANSACTION, 8);
    return isSealed ? sealStun(mutated, null) : mutated;
  }
}
