import { buildMessage, HANDSHAKE_HEADER_BYTES, splitMessage } from "./handshake-message.ts";
import { ContentType } from "./record.ts";
import { type Epoch, type RecordLayer, recordOverheadBytes } from "./record-layer.ts";
import type { Transcript } from "./transcript.ts";

/** A handshake message or a ChangeCipherSpec, kept as plaintext: each sending has record numbers of its own. */
interface FlightItem {
  readonly epoch: Epoch;
  readonly contentType: number;
  readonly bytes: Uint8Array;
}

/** Messages that are sent, and sent again, together (RFC 6347 §4.2.4). */
export type Flight = readonly FlightItem[];

/** Writes our messages: numbers them, notes them in the transcript, gathers them to flights. */
export class FlightBuilder {
  readonly #transcript: Transcript;
  #items: FlightItem[] = [];
  #epoch: Epoch = 0;
  #nextSequence = 0;

  constructor(transcript: Transcript) {
    this.#transcript = transcript;
  }

  /** Numbers the next message so. */
  startAt(sequence: number): void {
    this.#nextSequence = sequence;
  }

  message(type: number, body: Uint8Array): void {
    const bytes = buildMessage(type, this.#nextSequence, body);
    this.#nextSequence += 1;
    this.#transcript.add(bytes);
    this.#items.push({ epoch: this.#epoch, contentType: ContentType.handshake, bytes });
  }

  /** What follows goes out in epoch 1. */
  changeCipherSpec(): void {
    this.#items.push({ epoch: 0, contentType: ContentType.changeCipherSpec, bytes: Uint8Array.of(1) });
    this.#epoch = 1;
  }

  take(): Flight {
    const flight = this.#items;
    this.#items = [];
    return flight;
  }
}

/** A message outside of the handshake's transcript and numbering. */
export function singleMessage(type: number, sequence: number, body: Uint8Array): Flight {
  return [{ epoch: 0, contentType: ContentType.handshake, bytes: buildMessage(type, sequence, body) }];
}

/** The datagrams of a flight, as few as the messages allow: only those too large for one are cut. */
export function packFlight(flight: Flight, records: RecordLayer, mtuBytes: number): readonly Uint8Array[] {
  const datagrams: Uint8Array[] = [];
  let packed: Uint8Array[] = [];
  let packedBytes = 0;
  const flush = () => {
    if (packedBytes > 0) datagrams.push(packed.length === 1 && packed[0] ? packed[0] : Buffer.concat(packed));
    packed = [];
    packedBytes = 0;
  };
  for (const { epoch, contentType, bytes } of flight) {
    const maxBodyBytes = mtuBytes - recordOverheadBytes(epoch) - HANDSHAKE_HEADER_BYTES;
    const pieces = contentType === ContentType.handshake ? splitMessage(bytes, maxBodyBytes) : [bytes];
    for (const piece of pieces) {
      const record = records.seal(epoch, contentType, piece);
      if (record === null) continue;
      if (packedBytes + record.length > mtuBytes) flush();
      packed.push(record);
      packedBytes += record.length;
    }
  }
  flush();
  return datagrams;
}
