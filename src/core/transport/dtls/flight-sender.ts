import { type Flight, packFlight } from "./flight.ts";
import type { RecordLayer } from "./record-layer.ts";

/**
 * RFC 6347 §4.2.4.1 lets the timeout double up to 60 s. A call has 30 s to come up and its flights are small: doubled
 * further, ten of a hundred handshakes do not make it where three of ten datagrams are lost.
 */
const MAX_TIMEOUT_MS = 1_000;
/**
 * How soon a flight may go out again because the peer repeats its own. A peer that repeats its flight for want of ours
 * waits for at least one round trip, and common first timeouts are 50 ms and more, so a repetition within 10 ms is a
 * duplicate of the network's or an attacker's.
 */
const MIN_RESEND_INTERVAL_MS = 10;
/** Per flight: what a peer with a timeout like ours asks for in the time of a handshake, and no more. */
const MAX_PEER_RESENDS = 40;

/** Sends our flights and sends the last one again: on a timer, and when the peer shows that it was lost (RFC 6347 §4.2.4). */
export class FlightSender {
  readonly #records: RecordLayer;
  readonly #mtuBytes: number;
  readonly #send: (datagram: Uint8Array) => void;
  #initialTimeoutMs = 0;
  #timeoutMs = 0;
  #flight: Flight = [];
  #sentMs = 0;
  #peerResends = 0;
  #isStopped = false;
  /** When the flight is to be sent again. Infinity when it waits for no answer. */
  deadlineMs: number = Number.POSITIVE_INFINITY;

  constructor(records: RecordLayer, mtuBytes: number, send: (datagram: Uint8Array) => void) {
    this.#records = records;
    this.#mtuBytes = mtuBytes;
    this.#send = send;
  }

  start(initialTimeoutMs: number): void {
    this.#initialTimeoutMs = initialTimeoutMs;
  }

  /** Sends a flight in place of the last one, and again until the next one. */
  send(flight: Flight, nowMs: number): void {
    this.#timeoutMs = this.#initialTimeoutMs;
    this.deadlineMs = nowMs + this.#timeoutMs;
    this.#replace(flight, nowMs);
  }

  /** Sends the handshake's last flight: no answer will come, but the peer may ask for it again by repeating its own. */
  sendFinal(flight: Flight, nowMs: number): void {
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#replace(flight, nowMs);
  }

  /** Sends something once, and forgets it. */
  sendOnce(flight: Flight): void {
    for (const datagram of packFlight(flight, this.#records, this.#mtuBytes)) {
      if (!this.#isStopped) this.#send(datagram);
    }
  }

  /** The deadline has come. */
  onTimeout(nowMs: number): void {
    this.#timeoutMs = Math.max(this.#initialTimeoutMs, Math.min(2 * this.#timeoutMs, MAX_TIMEOUT_MS));
    this.#sendAgain(nowMs);
  }

  /** The peer repeats the flight that ours answers. False when ours went out too lately or too often. */
  onPeerRetransmission(nowMs: number): boolean {
    if (this.#flight.length === 0 || nowMs - this.#sentMs < MIN_RESEND_INTERVAL_MS) return false;
    if (this.#peerResends === MAX_PEER_RESENDS) return false;
    this.#peerResends += 1;
    this.#sendAgain(nowMs);
    return true;
  }

  /** Forgets the flight and sends nothing more. */
  stop(): void {
    this.#isStopped = true;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#flight = [];
  }

  #replace(flight: Flight, nowMs: number): void {
    this.#flight = flight;
    this.#sentMs = nowMs;
    this.#peerResends = 0;
    this.sendOnce(flight);
  }

  #sendAgain(nowMs: number): void {
    if (this.deadlineMs !== Number.POSITIVE_INFINITY) this.deadlineMs = nowMs + this.#timeoutMs;
    this.#sentMs = nowMs;
    this.sendOnce(this.#flight);
  }
}
