import type { Clock } from "../../platform/clock.ts";
import { systemTimers } from "../../platform/timers.ts";
import type { NetworkReport, NetworkSettings } from "./network-options.ts";
import { NetworkPath } from "./network-path.ts";
import type { PhoneSocket } from "./phone-socket.ts";
import type { StunAddress } from "./stun.ts";

/** Gives the other direction a stream of fates of its own. */
const TO_PHONE_SEED = 0x2545f491;

type OnDatagram = (datagram: Buffer, from: StunAddress) => void;

/** The phone's socket with a network in front of it, which does nothing until it is told to. */
export class NetworkSocket {
  readonly #socket: PhoneSocket;
  readonly #toBusiness: NetworkPath | null;
  readonly #toPhone: NetworkPath | null;
  #onDatagram: OnDatagram = () => {};
  #isHarmful = false;

  /** @param settings Null: a network that does no harm. */
  constructor(socket: PhoneSocket, settings: NetworkSettings | null, clock: Clock) {
    this.#socket = socket;
    const makePath = (direction: "toBusiness" | "toPhone", seed: number, deliver: OnDatagram) =>
      settings === null
        ? null
        : new NetworkPath({ settings: settings[direction], seed, clock, timers: systemTimers, deliver });
    const seed = settings?.seed ?? 0;
    this.#toBusiness = makePath("toBusiness", seed, (datagram, to) => socket.send(datagram, to));
    this.#toPhone = makePath("toPhone", seed ^ TO_PHONE_SEED, (datagram, from) =>
      this.#onDatagram(datagram, from),
    );
    socket.onDatagram((datagram, from) => {
      this.#receive(datagram, from);
    });
  }

  /** Null: there is no network that could do harm. */
  get report(): NetworkReport | null {
    if (this.#toBusiness === null || this.#toPhone === null) return null;
    return { toBusiness: this.#toBusiness.counts, toPhone: this.#toPhone.counts };
  }

  /** Takes the listener for what comes in. */
  onDatagram(listener: OnDatagram): void {
    this.#onDatagram = listener;
  }

  /** From here on the network loses, doubles and delays. */
  beginHarm(): void {
    this.#isHarmful = true;
  }

  send(datagram: Uint8Array, to: StunAddress): void {
    if (this.#toBusiness === null || !this.#isHarmful || isDtls(datagram)) {
      this.#socket.send(datagram, to);
      return;
    }
    this.#toBusiness.send(Buffer.from(datagram), to);
  }

  close(): Promise<void> {
    this.#toBusiness?.close();
    this.#toPhone?.close();
    return this.#socket.close();
  }

  #receive(datagram: Buffer, from: StunAddress): void {
    if (this.#toPhone === null || !this.#isHarmful || isDtls(datagram)) this.#onDatagram(datagram, from);
    else this.#toPhone.send(datagram, from);
  }
}

/** RFC 7983 §7. The last flight of a handshake may come again after its end: without it the other side does not connect. */
function isDtls(datagram: Uint8Array): boolean {
  const first = datagram[0] ?? 0;
  return first >= 20 && first <= 63;
}
