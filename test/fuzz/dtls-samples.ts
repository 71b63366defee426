import type { DtlsRole } from "../../src/core/transport/dtls/dtls-association.ts";
import { SeededRandom } from "../../src/testing/seeded-random.ts";
import { CAPTURES, readCapture } from "../fixtures/dtls/flights.ts";
import { DtlsPair } from "../support/dtls-pair.ts";

const MTU_OF_FRAGMENTS_BYTES = 200;

export interface DtlsSample {
  readonly from: DtlsRole;
  readonly bytes: Uint8Array;
}

/** In the clear, as anybody can send them: close_notify, a fatal alert, HelloRequest, ChangeCipherSpec, data. */
const FORGED = ["15fefd 0000 000000000063 0002 0100", "15fefd 0000 000000000064 0002 0228"]
  .concat("16fefd 0000 000000000065 000c 00000000 0000 000000 000000", "14fefd 0000 000000000066 0001 01")
  .concat("17fefd 0000 000000000067 0004 70696e67")
  .map((hex) => Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex")));

/** Whole handshakes: ours, ours in fragments and with a cookie, and other stacks' with us. */
export const DTLS_SAMPLES: readonly DtlsSample[] = [
  ...DtlsPair.connect().sent,
  ...DtlsPair.connect({
    client: { mtuBytes: MTU_OF_FRAGMENTS_BYTES },
    server: { mtuBytes: MTU_OF_FRAGMENTS_BYTES, requiresCookie: true },
  }).sent,
  ...CAPTURES.flatMap((name) => readCapture(name).datagrams),
  ...FORGED.flatMap((bytes) => [
    { from: "client" as const, bytes },
    { from: "server" as const, bytes },
  ]),
];

/** Not started. The same for all cases, but for the keys, which are node:crypto's. */
export function openDtlsPair(seed = 1): DtlsPair {
  return new DtlsPair({
    client: { random: new SeededRandom(seed).bytes },
    server: { random: new SeededRandom(seed + 1).bytes },
  });
}

/** Says something to the other side. @returns Whether it arrived as it was. */
export function passesData(pair: DtlsPair, from: DtlsRole): boolean {
  const [sender, receiver] = from === "client" ? [pair.client, pair.server] : [pair.server, pair.client];
  receiver.data.length = 0;
  if (!sender.association.sendData(Buffer.from("ping"))) return false;
  pair.run(pair.nowMs + 100);
  return receiver.data.length === 1 && receiver.data[0] === "ping";
}
