import { byteAt, uint16At, writeUint16 } from "../bytes.ts";

/** RFC 5246 §7.4, RFC 6347 §4.3.2. */
export const HandshakeType = {
  helloRequest: 0,
  clientHello: 1,
  serverHello: 2,
  helloVerifyRequest: 3,
  certificate: 11,
  serverKeyExchange: 12,
  certificateRequest: 13,
  serverHelloDone: 14,
  certificateVerify: 15,
  clientKeyExchange: 16,
  finished: 20,
} as const;

export const HANDSHAKE_HEADER_BYTES = 12;

/** A whole message. */
export interface HandshakeMessage {
  readonly type: number;
  /** `message_seq`. */
  readonly sequence: number;
  /** With its header as if it had come in one fragment: the form that is hashed and signed (RFC 6347 §4.2.6). */
  readonly raw: Uint8Array;
  readonly body: Uint8Array;
}

export interface HandshakeFragment {
  readonly type: number;
  /** Of the whole message's body, in bytes. */
  readonly messageLength: number;
  readonly sequence: number;
  readonly offset: number;
  /** A view of the record. */
  readonly body: Uint8Array;
}

// RFC 6347 §4.2.2: type (1), length (3), message_seq (2), fragment_offset (3), fragment_length (3).

/** A whole message with its header. */
export function buildMessage(type: number, sequence: number, body: Uint8Array): Uint8Array {
  const raw = new Uint8Array(HANDSHAKE_HEADER_BYTES + body.length);
  writeHeader(raw, { type, sequence, messageLength: body.length, offset: 0, body });
  raw.set(body, HANDSHAKE_HEADER_BYTES);
  return raw;
}

/** The fragment that starts at `start` of a record's plaintext; null when it is none. */
export function readFragment(plaintext: Uint8Array, start: number): HandshakeFragment | null {
  const bodyStart = start + HANDSHAKE_HEADER_BYTES;
  if (bodyStart > plaintext.length) return null;
  const messageLength = uint24At(plaintext, start + 1);
  const offset = uint24At(plaintext, start + 6);
  const bodyEnd = bodyStart + uint24At(plaintext, start + 9);
  if (bodyEnd > plaintext.length || offset + bodyEnd - bodyStart > messageLength) return null;
  return {
    type: byteAt(plaintext, start),
    messageLength,
    sequence: uint16At(plaintext, start + 4),
    offset,
    body: plaintext.subarray(bodyStart, bodyEnd),
  };
}

/** Cuts a message of `buildMessage` into fragments with at most `maxBodyBytes` of it each. */
export function splitMessage(raw: Uint8Array, maxBodyBytes: number): readonly Uint8Array[] {
  const messageLength = raw.length - HANDSHAKE_HEADER_BYTES;
  if (messageLength <= maxBodyBytes) return [raw];
  const fragments: Uint8Array[] = [];
  for (let offset = 0; offset < messageLength; offset += maxBodyBytes) {
    const start = HANDSHAKE_HEADER_BYTES + offset;
    const body = raw.subarray(start, start + maxBodyBytes);
    const fragment = new Uint8Array(HANDSHAKE_HEADER_BYTES + body.length);
    writeHeader(fragment, { type: byteAt(raw, 0), sequence: uint16At(raw, 4), messageLength, offset, body });
    fragment.set(body, HANDSHAKE_HEADER_BYTES);
    fragments.push(fragment);
  }
  return fragments;
}

function writeHeader(into: Uint8Array, fragment: HandshakeFragment): void {
  into[0] = fragment.type;
  writeUint24(into, 1, fragment.messageLength);
  writeUint16(into, 4, fragment.sequence);
  writeUint24(into, 6, fragment.offset);
  writeUint24(into, 9, fragment.body.length);
}

function uint24At(bytes: Uint8Array, offset: number): number {
  return (byteAt(bytes, offset) << 16) | uint16At(bytes, offset + 1);
}

function writeUint24(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 16;
  writeUint16(bytes, offset + 1, value);
}
