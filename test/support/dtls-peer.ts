import { randomBytes } from "node:crypto";
import type { DtlsRole } from "../../src/core/transport/dtls/dtls-association.ts";
import { type Flight, packFlight } from "../../src/core/transport/dtls/flight.ts";
import type { Handshake } from "../../src/core/transport/dtls/handshake.ts";
import { readFragment } from "../../src/core/transport/dtls/handshake-message.ts";
import { Reassembler } from "../../src/core/transport/dtls/reassembler.ts";
import {
  ContentType,
  type DtlsRecord,
  RECORD_HEADER_BYTES,
  readRecord,
} from "../../src/core/transport/dtls/record.ts";
import { type Epoch, RecordLayer } from "../../src/core/transport/dtls/record-layer.ts";
import { createHandshake } from "./dtls-handshakes.ts";
import { CERTIFICATES, Endpoint, fingerprintOf } from "./dtls-pair.ts";

/** The records of a datagram. */
export function recordsOf(datagram: Uint8Array): readonly DtlsRecord[] {
  const records: DtlsRecord[] = [];
  for (let offset = 0; ; ) {
    const record = readRecord(datagram, offset);
    if (record === null) return records;
    records.push(record);
    offset += RECORD_HEADER_BYTES + record.payload.length;
  }
}

/** What a record of the association under test says, opened. */
export interface Heard {
  readonly contentType: number;
  readonly epoch: number;
  readonly plaintext: Uint8Array;
}

/**
 * An association under test, and a peer that has the keys and keeps to no rule but the test's: it says what it is told
 * to, in the epoch that it is told. Nothing is lost between them.
 */
export class UnrulyPeer {
  readonly endpoint: Endpoint;
  readonly records = new RecordLayer();
  readonly heard: Heard[] = [];
  /** What becomes of our flights. Default: they are sent. */
  onFlight: (flight: Flight) => void = (flight) => this.sendFlight(flight);
  nowMs = 0;
  readonly #handshake: Handshake;
  readonly #reassembler = new Reassembler();

  /** @param role Of the peer. */
  constructor(role: DtlsRole) {
    const tested = role === "client" ? "server" : "client";
    this.#handshake = createHandshake(role);
    const options = {
      role: tested,
      certificate: CERTIFICATES[tested],
      remoteFingerprints: fingerprintOf(CERTIFICATES[role]),
      random: randomBytes,
    } as const;
    this.endpoint = new Endpoint(
      options,
      (bytes) => this.#hear(Uint8Array.from(bytes)),
      () => this.nowMs,
    );
  }

  static connect(role: DtlsRole): UnrulyPeer {
    const peer = new UnrulyPeer(role);
    peer.start();
    return peer;
  }

  start(): void {
    this.endpoint.association.start(this.nowMs, 100);
    const flight = this.#handshake.begin();
    if (flight !== null) this.onFlight(flight);
  }

  sendFlight(flight: Flight): void {
    for (const datagram of packFlight(flight, this.records, 1200)) this.deliver(datagram);
  }

  send(epoch: Epoch, contentType: number, plaintext: Uint8Array): void {
    const record = this.records.seal(epoch, contentType, plaintext);
    if (record !== null) this.deliver(record);
  }

  deliver(datagram: Uint8Array): void {
    this.endpoint.association.receive(datagram, this.nowMs);
  }

  #hear(datagram: Uint8Array): void {
    for (const record of recordsOf(datagram)) {
      const plaintext = record.epoch === 0 ? record.payload : this.records.open(record);
      if (plaintext === null) continue;
      this.heard.push({ contentType: record.contentType, epoch: record.epoch, plaintext });
      if (record.contentType !== ContentType.handshake) continue;
      const fragment = readFragment(plaintext, 0);
      if (fragment !== null && this.#reassembler.add(fragment)) this.#takeMessages();
    }
  }

  #takeMessages(): void {
    for (let message = this.#reassembler.peek(); message !== null; message = this.#reassembler.peek()) {
      this.#reassembler.accept();
      const step = this.#handshake.handle(message);
      if (this.#handshake.ciphers !== null) this.records.installKeys(this.#handshake.ciphers);
      if (step.kind === "flight" || step.kind === "complete") this.onFlight(step.flight ?? []);
    }
  }
}
