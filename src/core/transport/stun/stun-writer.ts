import type { TransportAddress } from "../address.ts";
import { parseIp } from "../address-bytes.ts";
import { byteAt, writeUint16, writeUint32 } from "../bytes.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { type IntegrityKey, integrityOf } from "./message-integrity.ts";
import {
  ATTRIBUTE,
  ATTRIBUTE_HEADER_BYTES,
  BINDING,
  FINGERPRINT_BYTES,
  HEADER_BYTES,
  INTEGRITY_BYTES,
  MAGIC_COOKIE,
  paddedBytes,
  type StunClass,
  TRANSACTION_ID_OFFSET,
} from "./stun-format.ts";

/** Room for a check with two ufrags of 256 characters, the longest that RFC 8839 §5.4 allows, and all its attributes. */
const WRITER_BYTES = 640;

/** Writes Binding messages, one after the other, into one buffer: `begin`, attributes, `finish`. */
export class StunWriter {
  readonly #buffer = new Uint8Array(WRITER_BYTES);
  #length = 0;

  /** `transactionId` is of 12 bytes. */
  begin(messageClass: StunClass, transactionId: Uint8Array): void {
    writeUint16(this.#buffer, 0, BINDING[messageClass]);
    writeUint32(this.#buffer, 4, MAGIC_COOKIE);
    this.#buffer.set(transactionId, TRANSACTION_ID_OFFSET);
    this.#length = HEADER_BYTES;
  }

  /** `username` at most 513 bytes. */
  username(username: Uint8Array): void {
    this.#buffer.set(username, this.#attribute(ATTRIBUTE.username, username.length));
  }

  priority(priority: number): void {
    writeUint32(this.#buffer, this.#attribute(ATTRIBUTE.priority, 4), priority);
  }

  useCandidate(): void {
    this.#attribute(ATTRIBUTE.useCandidate, 0);
  }

  /** RFC 8445 §7.1.3; the tie-breaker's halves, high one first. */
  role(isControlling: boolean, tieBreakerHigh: number, tieBreakerLow: number): void {
    const type = isControlling ? ATTRIBUTE.iceControlling : ATTRIBUTE.iceControlled;
    const offset = this.#attribute(type, 8);
    writeUint32(this.#buffer, offset, tieBreakerHigh);
    writeUint32(this.#buffer, offset + 4, tieBreakerLow);
  }

  /** RFC 8489 §14.2. `at.address` is an IP literal, as sockets report it. */
  xorMappedAddress(at: TransportAddress): void {
    const buffer = this.#buffer;
    const ipBytes = parseIp(at.address, buffer, this.#length + ATTRIBUTE_HEADER_BYTES + 4);
    const offset = this.#attribute(ATTRIBUTE.xorMappedAddress, 4 + ipBytes);
    writeUint16(buffer, offset, ipBytes === 4 ? 1 : 2);
    writeUint16(buffer, offset + 2, at.port ^ (MAGIC_COOKIE >>> 16));
    for (let i = 0; i < ipBytes; i += 1)
      buffer[offset + 4 + i] = byteAt(buffer, offset + 4 + i) ^ byteAt(buffer, 4 + i);
  }

  /** RFC 8489 §14.8, without a phrase: an answer must not outgrow what caused it. */
  errorCode(code: number): void {
    const offset = this.#attribute(ATTRIBUTE.errorCode, 4);
    writeUint32(this.#buffer, offset, (Math.floor(code / 100) << 8) | (code % 100));
  }

  /** The first `count` of `types`. RFC 8489 §14.13. */
  unknownAttributes(types: Uint16Array, count: number): void {
    const offset = this.#attribute(ATTRIBUTE.unknownAttributes, count * 2);
    for (let i = 0; i < count; i += 1) writeUint16(this.#buffer, offset + i * 2, types[i] ?? 0);
  }

  /**
   * Ends the message with MESSAGE-INTEGRITY, unless `key` is null, and FINGERPRINT.
   *
   * @returns A view that is valid until the next `begin`.
   */
  finish(key: IntegrityKey | null): Uint8Array {
    const buffer = this.#buffer;
    if (key !== null) {
      const integrity = integrityOf(buffer, this.#length, key);
      buffer.set(integrity, this.#attribute(ATTRIBUTE.messageIntegrity, INTEGRITY_BYTES));
    }
    const fingerprint = fingerprintOf(buffer, this.#length);
    writeUint32(buffer, this.#attribute(ATTRIBUTE.fingerprint, FINGERPRINT_BYTES), fingerprint);
    writeUint16(buffer, 2, this.#length - HEADER_BYTES);
    return buffer.subarray(0, this.#length);
  }

  /** Opens an attribute and returns where its value starts. */
  #attribute(type: number, valueBytes: number): number {
    const offset = this.#length + ATTRIBUTE_HEADER_BYTES;
    writeUint16(this.#buffer, this.#length, type);
    writeUint16(this.#buffer, this.#length + 2, valueBytes);
    this.#length = offset + paddedBytes(valueBytes);
    this.#buffer.fill(0, offset + valueBytes, this.#length);
    return offset;
  }
}
