import { GAP } from "./bridge-source.ts";
import type { OrderedConsumer, OrderedFrame } from "./listening/ordered-audio.ts";
import type { SharedPacketRing } from "./shared-packet-ring.ts";

/** Passes a caller's packets on to the other call as they are, losses as losses. */
export class BridgeTap implements OrderedConsumer {
  readonly onFailed: (error: unknown) => void;
  readonly #ring: SharedPacketRing;

  constructor(ring: SharedPacketRing, onFailed: (error: unknown) => void) {
    this.#ring = ring;
    this.onFailed = onFailed;
  }

  onFrame({ bytes, lengthBytes }: OrderedFrame): void {
    this.#ring.write(bytes, lengthBytes);
  }

  onLost(): void {
    this.#ring.write(GAP, 0);
  }

  onSlotEnd(): void {}
}
