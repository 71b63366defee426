import type { DtlsRole } from "../../../src/core/transport/dtls/dtls-association.ts";
import { type DtlsPair, PERFECT_LINK } from "../../support/dtls-pair.ts";
import { DTLS_SAMPLES, openDtlsPair, passesData } from "../dtls-samples.ts";
import { dtlsLayout } from "../layouts.ts";
import { type Mutation, mutate } from "../mutation.ts";
import { type FuzzStep, type FuzzSubject, type FuzzTarget, must } from "../target.ts";

/** Both sides have given up by then. */
const LONG_ENOUGH_MS = 200_000;

/** A handshake in all its states, with somebody on the path who adds, changes and takes away. */
export const DTLS_CLIENT: FuzzTarget = {
  name: "dtls-client",
  layoutOf: dtlsLayout,
  open: () => new HandshakeSubject("client"),
};

export const DTLS_SERVER: FuzzTarget = {
  name: "dtls-server",
  layoutOf: dtlsLayout,
  open: () => new HandshakeSubject("server"),
};

class HandshakeSubject implements FuzzSubject {
  readonly samples: readonly Uint8Array[];
  readonly #victim: DtlsRole;
  readonly #pair: DtlsPair = openDtlsPair();
  /** What becomes of the next datagram to the victim. */
  #next: "as-it-is" | "lost" | readonly Mutation[] = "as-it-is";

  constructor(victim: DtlsRole) {
    this.#victim = victim;
    this.samples = DTLS_SAMPLES.filter(({ from }) => from !== victim).map(({ bytes }) => bytes);
    this.#pair.link = (sent) => {
      if (sent.from === victim || this.#next === "as-it-is") return PERFECT_LINK(sent);
      const next = this.#next;
      this.#next = "as-it-is";
      if (next === "lost") return [];
      return PERFECT_LINK({ ...sent, bytes: mutate(sent.bytes, next, this.samples, dtlsLayout) });
    };
    this.#pair.start();
  }

  take(bytes: Uint8Array, { choice, waitMs, mutations }: FuzzStep): void {
    // Short beside the 10 ms of each flight.
    this.#pair.run(this.#pair.nowMs + waitMs / 4);
    if (choice % 4 === 2) this.#next = "lost";
    else if (choice % 4 === 3) this.#next = mutations;
    else this.#pair[this.#victim].association.receive(bytes, this.#pair.nowMs);
    this.#trim();
  }

  check(): void {
    const pair = this.#pair;
    this.#next = "as-it-is";
    pair.run(pair.nowMs + LONG_ENOUGH_MS);
    const { client, server } = pair;
    for (const { results, ends } of [client, server]) {
      must(results.length <= 1 && ends.length <= 1, "each side connects once and ends once at most");
      must(results.length + ends.length >= 1, "no side stays in its handshake for ever");
    }
    if (!pair.isConnected || client.ends.length + server.ends.length > 0) return;
    const key = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("hex");
    must(
      key(client.results[0]?.localSrtp.key) === key(server.results[0]?.remoteSrtp.key),
      "both have the same keys",
    );
    must(passesData(pair, "client") && passesData(pair, "server"), "who is connected can talk");
  }

  #trim(): void {
    if (this.#pair.sent.length > 200) this.#pair.sent.splice(0, 100);
  }
}
