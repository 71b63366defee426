import type { TransportAddress } from "../address.ts";
import { formatIp } from "../address-bytes.ts";
import { byteAt, uint16At, uint32At } from "../bytes.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { hasIntegrity, type IntegrityKey } from "./message-integrity.ts";
import {
  ATTRIBUTE,
  ATTRIBUTE_HEADER_BYTES,
  BINDING,
  FINGERPRINT_BYTES,
  FIRST_OPTIONAL_TYPE,
  HEADER_BYTES,
  INTEGRITY_BYTES,
  MAGIC_COOKIE,
  MAX_STUN_BYTES,
  paddedBytes,
  type StunClass,
  TRANSACTION_ID_BYTES,
  TRANSACTION_ID_OFFSET,
} from "./stun-format.ts";

/** Why bytes are no STUN message that counts. */
export type StunFault = "length" | "type" | "cookie" | "attribute" | "fingerprint";

/** Of one message. An ICE check has about eight; the limit bounds the work that a datagram can cause. */
const MAX_ATTRIBUTES = 32;
/** Types that a 420 names. More are not told; the request is refused all the same. */
const MAX_UNKNOWN_TYPES = 8;

const NO_BYTES = new Uint8Array(0);

/**
 * A Binding message as it lies in its datagram. Made once and read into from datagram to datagram:
 * what it says is valid until the next `read` and as long as the datagram's bytes are.
 *
 * Of an attribute that comes twice, the first counts (RFC 8489 §14).
 */
export class StunView {
  bytes: Uint8Array = NO_BYTES;
  messageClass: StunClass = "indication";
  /** -1: the message has none. */
  usernameOffset = -1;
  usernameBytes = 0;
  hasFingerprint = false;
  /** -1: the message has none. */
  priority = -1;
  useCandidate = false;
  /** The role that the sender claims, null when it claims none. Its tie-breaker's halves follow. */
  role: "controlling" | "controlled" | null = null;
  tieBreakerHigh = 0;
  tieBreakerLow = 0;
  /** 300 to 699; 0: the message has none. */
  errorCode = 0;
  /** Types that RFC 8489 §6.3.1 obliges us to refuse, the first few. */
  readonly unknownTypes: Uint16Array = new Uint16Array(MAX_UNKNOWN_TYPES);
  unknownTypeCount = 0;
  #integrityOffset = -1;
  #mappedOffset = -1;

  /** A view of the datagram's bytes. */
  get transactionId(): Uint8Array {
    return this.bytes.subarray(TRANSACTION_ID_OFFSET, TRANSACTION_ID_OFFSET + TRANSACTION_ID_BYTES);
  }

  /** True when there is a MESSAGE-INTEGRITY, right or wrong. */
  get hasIntegrityAttribute(): boolean {
    return this.#integrityOffset >= 0;
  }

  /** True when a MESSAGE-INTEGRITY made with this key is there. */
  isAuthentic(key: IntegrityKey): boolean {
    return this.#integrityOffset >= 0 && hasIntegrity(this.bytes, this.#integrityOffset, key);
  }

  /** What XOR-MAPPED-ADDRESS says (RFC 8489 §14.2), null when it is not there. Allocates. */
  mappedAddress(): TransportAddress | null {
    const offset = this.#mappedOffset;
    if (offset < 0) return null;
    const plain = new Uint8Array(byteAt(this.bytes, offset + 1) === 1 ? 4 : 16);
    // RFC 8489 §14.2: the mask is the cookie and, for IPv6, the transaction id: just as they stand in the header.
    for (let i = 0; i < plain.length; i += 1) {
      plain[i] = byteAt(this.bytes, offset + 4 + i) ^ byteAt(this.bytes, 4 + i);
    }
    const port = uint16At(this.bytes, offset + 2) ^ (MAGIC_COOKIE >>> 16);
    return { address: formatIp(plain), port };
  }

  get hasMappedAddress(): boolean {
    return this.#mappedOffset >= 0;
  }

  hasTransactionId(id: Uint8Array): boolean {
    for (let i = 0; i < TRANSACTION_ID_BYTES; i += 1) {
      if (this.bytes[TRANSACTION_ID_OFFSET + i] !== id[i]) return false;
    }
    return true;
  }

  hasUsername(username: Uint8Array): boolean {
    if (this.usernameOffset < 0 || this.usernameBytes !== username.length) return false;
    for (let i = 0; i < username.length; i += 1) {
      if (this.bytes[this.usernameOffset + i] !== username[i]) return false;
    }
    return true;
  }

  /**
   * Reads one datagram, without a copy. MESSAGE-INTEGRITY is not checked here: that takes a key.
   *
   * @returns null when it is a well-formed Binding message with a right FINGERPRINT or none,
   * otherwise the fault; the view is then not to be used.
   */
  read(datagram: Uint8Array): StunFault | null {
    this.#clear(datagram);
    if (datagram.length < HEADER_BYTES || datagram.length > MAX_STUN_BYTES) return "length";
    const messageClass = classOf(uint16At(datagram, 0));
    if (messageClass === null) return "type";
    if (uint32At(datagram, 4) !== MAGIC_COOKIE) return "cookie";
    if (uint16At(datagram, 2) !== datagram.length - HEADER_BYTES || datagram.length % 4 !== 0)
      return "length";
    this.messageClass = messageClass;
    return this.#readAttributes();
  }

  #clear(datagram: Uint8Array): void {
    this.bytes = datagram;
    this.usernameOffset = -1;
    this.usernameBytes = 0;
    this.hasFingerprint = false;
    this.priority = -1;
    this.useCandidate = false;
    this.role = null;
    this.errorCode = 0;
    this.unknownTypeCount = 0;
    this.#integrityOffset = -1;
    this.#mappedOffset = -1;
  }

  #readAttributes(): StunFault | null {
    const bytes = this.bytes;
    let offset = HEADER_BYTES;
    for (let count = 0; offset < bytes.length; count += 1) {
      // RFC 8489 §14.7: FINGERPRINT is the last one.
      if (count === MAX_ATTRIBUTES || this.hasFingerprint) return "attribute";
      const type = uint16At(bytes, offset);
      const valueBytes = uint16At(bytes, offset + 2);
      const next = offset + ATTRIBUTE_HEADER_BYTES + paddedBytes(valueBytes);
      if (next > bytes.length) return "attribute";
      // RFC 8489 §14.5: what follows MESSAGE-INTEGRITY is not covered by it and ignored, but for FINGERPRINT.
      if (this.#integrityOffset < 0 || type === ATTRIBUTE.fingerprint) {
        const fault = this.#readAttribute(type, offset + ATTRIBUTE_HEADER_BYTES, valueBytes);
        if (fault !== null) return fault;
      }
      offset = next;
    }
    return null;
  }

  #readAttribute(type: number, offset: number, valueBytes: number): StunFault | null {
    switch (type) {
      case ATTRIBUTE.username:
        if (this.usernameOffset >= 0) return null;
        this.usernameOffset = offset;
        this.usernameBytes = valueBytes;
        return null;
      case ATTRIBUTE.messageIntegrity:
        this.#integrityOffset = offset - ATTRIBUTE_HEADER_BYTES;
        return valueBytes === INTEGRITY_BYTES ? null : "attribute";
      case ATTRIBUTE.fingerprint:
        this.hasFingerprint = true;
        return this.#checkFingerprint(offset, valueBytes);
      case ATTRIBUTE.priority:
        if (this.priority < 0) this.priority = uint32At(this.bytes, offset);
        return valueBytes === 4 ? null : "attribute";
      case ATTRIBUTE.useCandidate:
        this.useCandidate = true;
        return null;
      case ATTRIBUTE.iceControlled:
      case ATTRIBUTE.iceControlling:
        if (this.role === null) this.#readRole(type, offset);
        return valueBytes === 8 ? null : "attribute";
      case ATTRIBUTE.errorCode:
        return this.#readErrorCode(offset, valueBytes);
      case ATTRIBUTE.xorMappedAddress:
        return this.#readMappedAddress(offset, valueBytes);
      case ATTRIBUTE.mappedAddress:
      case ATTRIBUTE.unknownAttributes:
        return null;
      default:
        if (type < FIRST_OPTIONAL_TYPE) this.#noteUnknown(type);
        return null;
    }
  }

  #checkFingerprint(offset: number, valueBytes: number): StunFault | null {
    if (valueBytes !== FINGERPRINT_BYTES) return "attribute";
    const isRight =
      uint32At(this.bytes, offset) === fingerprintOf(this.bytes, offset - ATTRIBUTE_HEADER_BYTES);
    return isRight ? null : "fingerprint";
  }

  #readRole(type: number, offset: number): void {
    this.role = type === ATTRIBUTE.iceControlling ? "controlling" : "controlled";
    this.tieBreakerHigh = uint32At(this.bytes, offset);
    this.tieBreakerLow = uint32At(this.bytes, offset + 4);
  }

  /** RFC 8489 §14.8: 21 reserved bits, 3 of hundreds, 8 of the rest, then a phrase for people. */
  #readErrorCode(offset: number, valueBytes: number): StunFault | null {
    if (valueBytes < 4) return "attribute";
    const hundreds = byteAt(this.bytes, offset + 2) & 7;
    const rest = byteAt(this.bytes, offset + 3);
    if (hundreds < 3 || hundreds > 6 || rest > 99) return "attribute";
    if (this.errorCode === 0) this.errorCode = hundreds * 100 + rest;
    return null;
  }

  #readMappedAddress(offset: number, valueBytes: number): StunFault | null {
    const family = byteAt(this.bytes, offset + 1);
    const isWhole = (family === 1 && valueBytes === 8) || (family === 2 && valueBytes === 20);
    if (isWhole && this.#mappedOffset < 0) this.#mappedOffset = offset;
    return isWhole ? null : "attribute";
  }

  #noteUnknown(type: number): void {
    if (this.unknownTypeCount === MAX_UNKNOWN_TYPES) return;
    this.unknownTypes[this.unknownTypeCount] = type;
    this.unknownTypeCount += 1;
  }
}

function classOf(type: number): StunClass | null {
  if (type === BINDING.request) return "request";
  if (type === BINDING.success) return "success";
  if (type === BINDING.error) return "error";
  return type === BINDING.indication ? "indication" : null;
}
