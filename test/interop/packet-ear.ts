import type { Heard } from "./peer.ts";
import { measurePackets } from "./tone.ts";

/** Enough for a measurement. */
const MOST_PACKETS = 100;

/** For peers that give RTP packets: hears the Opus ones and counts what is missing. */
export class PacketEar {
  readonly #payloads: Uint8Array[] = [];
  #first = -1;
  #last = -1;
  #count = 0;

  /** Takes a plain RTP packet without extensions. */
  receive(packet: Uint8Array): void {
    const sequence = ((packet[2] ?? 0) << 8) | (packet[3] ?? 0);
    if (this.#first < 0) this.#first = sequence;
    this.#last = sequence;
    this.#count += 1;
    this.#payloads.push(Uint8Array.from(packet.subarray(12)));
    if (this.#payloads.length > MOST_PACKETS) this.#payloads.shift();
  }

  async heard(): Promise<Heard> {
    const tone = await measurePackets(this.#payloads);
    return { ...tone, packetsLost: ((this.#last - this.#first + 1) & 0xffff) - this.#count };
  }
}
