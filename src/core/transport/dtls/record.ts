import { byteAt, uint16At, uint32At, writeUint16, writeUint32 } from "../bytes.ts";

/** RFC 5246 §6.2.1. */
export const ContentType = {
  changeCipherSpec: 20,
  alert: 21,
  handshake: 22,
  applicationData: 23,
} as const;

/** RFC 6347 §4.1: versions count down, as ones' complement of 1.0 and 1.2. */
export const DTLS_1_0 = 0xfeff;
export const DTLS_1_2 = 0xfefd;

export const RECORD_HEADER_BYTES = 13;
/** RFC 5246 §6.2.1: the most plaintext that a record holds. */
export const MAX_PLAINTEXT_BYTES: number = 1 << 14;
/** RFC 6347 §4.1: sequence numbers are of 48 bits and must not wrap. */
export const SEQUENCE_LIMIT: number = 2 ** 48;

const UINT32_RANGE = 2 ** 32;

export interface DtlsRecord {
  readonly contentType: number;
  readonly version: number;
  readonly epoch: number;
  readonly sequence: number;
  /** A view of the datagram. */
  readonly payload: Uint8Array;
}

// RFC 6347 §4.1: type (1), version (2), epoch (2), sequence number (6), length (2).

/** The record that starts at `offset`; null when the rest of the datagram holds no whole one. */
export function readRecord(datagram: Uint8Array, offset: number): DtlsRecord | null {
  const start = offset + RECORD_HEADER_BYTES;
  if (start > datagram.length) return null;
  const end = start + uint16At(datagram, offset + 11);
  if (end > datagram.length) return null;
  return {
    contentType: byteAt(datagram, offset),
    version: uint16At(datagram, offset + 1),
    epoch: uint16At(datagram, offset + 3),
    sequence: uint16At(datagram, offset + 5) * UINT32_RANGE + uint32At(datagram, offset + 7),
    payload: datagram.subarray(start, end),
  };
}

export function writeRecord(record: Omit<DtlsRecord, "version">): Uint8Array {
  const { contentType, epoch, sequence, payload } = record;
  const bytes = new Uint8Array(RECORD_HEADER_BYTES + payload.length);
  bytes[0] = contentType;
  writeUint16(bytes, 1, DTLS_1_2);
  writeUint16(bytes, 3, epoch);
  writeUint16(bytes, 5, Math.floor(sequence / UINT32_RANGE));
  writeUint32(bytes, 7, sequence % UINT32_RANGE);
  writeUint16(bytes, 11, payload.length);
  bytes.set(payload, RECORD_HEADER_BYTES);
  return bytes;
}
