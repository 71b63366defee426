import type { DtlsAssociation, DtlsRole } from "../../../src/core/transport/dtls/dtls-association.ts";
import { RecordLayer } from "../../../src/core/transport/dtls/record-layer.ts";
import { openDtlsPair } from "../dtls-samples.ts";
import { handshakeLayout } from "../layouts.ts";
import { mutate } from "../mutation.ts";
import { type FuzzStep, type FuzzTarget, must } from "../target.ts";

/** The least that a record layer has to carry, and an encrypted record's length is 16 bits. */
const MOST_PLAINTEXT_BYTES = 16_000;
const LONG_ENOUGH_MS = 200_000;
const CONTENT_TYPES = [20, 21, 22, 23, 24];

/** Whose records are changed before they are sealed: set while the liar acts. */
let liar: Liar | null = null;

const seal = Object.getOwnPropertyDescriptor(RecordLayer.prototype, "seal")?.value as RecordLayer["seal"];
RecordLayer.prototype.seal = function (epoch, contentType, plaintext) {
  const [type, said] = liar?.lie(contentType, plaintext) ?? [contentType, plaintext];
  return seal.call(this, epoch, type, said);
};

/** A peer that has the keys, as nobody else does, and breaks the protocol under their protection. */
export const DTLS_LYING_SERVER: FuzzTarget = liarTarget("dtls-lying-server", "client");
export const DTLS_LYING_CLIENT: FuzzTarget = liarTarget("dtls-lying-client", "server");

function liarTarget(name: string, victim: DtlsRole): FuzzTarget {
  return {
    name,
    layoutOf: handshakeLayout,
    open() {
      const lies: FuzzStep[] = [];
      const pair = openDtlsPair();
      const peer = pair[victim === "client" ? "server" : "client"];
      new Liar(lies).takeOver(peer.association);
      return {
        // What the lies are made of lies in the records themselves.
        samples: [Uint8Array.of(1)],
        take(_, step) {
          lies.push(step);
        },
        check() {
          pair.start();
          pair.run(1_000);
          for (let i = 0; i < 8 && peer.association.sendData(Buffer.from("data")); i += 1)
            pair.run(pair.nowMs + 50);
          pair.run(LONG_ENOUGH_MS);
          const { results, ends } = pair[victim];
          must(results.length <= 1 && ends.length <= 1, "the victim connects once and ends once at most");
          must(results.length + ends.length >= 1, "the victim does not stay in its handshake for ever");
        },
      };
    },
  };
}

class Liar {
  readonly #lies: FuzzStep[];
  /** What it has said so far, to be spliced in. */
  readonly #said: Uint8Array[] = [];

  constructor(lies: FuzzStep[]) {
    this.#lies = lies;
  }

  lie(contentType: number, plaintext: Uint8Array): readonly [contentType: number, plaintext: Uint8Array] {
    const step = this.#lies.shift();
    this.#said.push(Uint8Array.from(plaintext));
    if (step === undefined || step.choice % 2 === 0) return [contentType, plaintext];
    const changed = mutate(plaintext, step.mutations, this.#said, handshakeLayout);
    const type =
      step.choice < 32 ? (CONTENT_TYPES[step.choice % CONTENT_TYPES.length] ?? contentType) : contentType;
    return [type, changed.subarray(0, MOST_PLAINTEXT_BYTES)];
  }

  /** All that the association does from now on, it does as the liar. */
  takeOver(association: DtlsAssociation): void {
    for (const method of ["start", "receive", "handleTimeout", "sendData"] as const) {
      const act = association[method].bind(association) as (...parameters: unknown[]) => unknown;
      Object.defineProperty(association, method, {
        value: (...parameters: unknown[]): unknown => this.#while(() => act(...parameters)),
      });
    }
  }

  #while<T>(act: () => T): T {
    setLiar(this);
    try {
      return act();
    } finally {
      setLiar(null);
    }
  }
}

function setLiar(next: Liar | null): void {
  liar = next;
}
