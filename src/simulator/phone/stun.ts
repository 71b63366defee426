import { createHmac, timingSafeEqual } from "node:crypto";

/** RFC 8489 §5: sets STUN apart from everything else on the port. */
const MAGIC_COOKIE = 0x2112a442;
const HEADER_BYTES = 20;
const INTEGRITY_BYTES = 20;
/** RFC 8489 §14.7. */
const FINGERPRINT_XOR = 0x5354554e;
/** Of one message; an ICE check has six or seven. */
const MAX_ATTRIBUTES = 32;

const ATTRIBUTE = {
  username: 0x0006,
  messageIntegrity: 0x0008,
  errorCode: 0x0009,
  unknownAttributes: 0x000a,
  xorMappedAddress: 0x0020,
  priority: 0x0024,
  useCandidate: 0x0025,
  fingerprint: 0x8028,
  iceControlled: 0x8029,
  iceControlling: 0x802a,
} as const;

/** RFC 8489 §15: attribute types below this one must be understood. */
const FIRST_OPTIONAL_TYPE = 0x8000;
const UNDERSTOOD: ReadonlySet<number> = new Set(Object.values(ATTRIBUTE));

export type StunClass = "request" | "indication" | "success" | "error";
export type IceRole = "controlling" | "controlled";

/** What an ICE agent needs of a Binding message. The bytes are kept for the integrity check. */
export interface StunMessage {
  readonly bytes: Uint8Array;
  readonly messageClass: StunClass;
  /** 96 bits. */
  readonly transactionId: Uint8Array;
  readonly username: string | null;
  /** Where the MESSAGE-INTEGRITY attribute starts, null when there is none. */
  readonly integrityOffset: number | null;
  readonly hasFingerprint: boolean;
  readonly useCandidate: boolean;
  /** The role that the sender claims; null when it names none. */
  readonly role: IceRole | null;
  readonly errorCode: number | null;
  readonly mappedAddress: StunAddress | null;
  /** Types that RFC 8489 §6.3.1 obliges us to refuse. */
  readonly unknownRequired: readonly number[];
}

export interface StunAddress {
  /** IPv4 in dotted form, or IPv6. */
  readonly address: string;
  readonly port: number;
}

/**
 * Reads a Binding message.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * |0 0|     type (14 bits)        |            length             |
 * |                     magic cookie 0x2112a442                   |
 * |                     transaction id (96 bits)                  |
 * ```
 *
 * @returns null for anything that is no well-formed Binding message, a wrong FINGERPRINT included.
 */
export function parseStunMessage(bytes: Uint8Array): StunMessage | null {
  if (bytes.length < HEADER_BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const messageClass = toClass(view.getUint16(0));
  const fits = view.getUint16(2) === bytes.length - HEADER_BYTES && bytes.length % 4 === 0;
  if (messageClass === null || !fits || view.getUint32(4) !== MAGIC_COOKIE) return null;

  const found = { ...EMPTY, bytes, messageClass, transactionId: bytes.subarray(8, 20), unknownRequired: [] };
  return readAttributes(found, view) ? found : null;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Found = Mutable<StunMessage> & { unknownRequired: number[] };

const EMPTY = {
  username: null,
  integrityOffset: null,
  hasFingerprint: false,
  useCandidate: false,
  role: null,
  errorCode: null,
  mappedAddress: null,
} as const;

/** RFC 8489 §5: method Binding is 0x001; the class is in bits 4 and 8. */
function toClass(type: number): StunClass | null {
  if (type === 0x0001) return "request";
  if (type === 0x0011) return "indication";
  if (type === 0x0101) return "success";
  return type === 0x0111 ? "error" : null;
}

function readAttributes(found: Found, view: DataView): boolean {
  let offset = HEADER_BYTES;
  for (let count = 0; offset < view.byteLength; count += 1) {
    if (count === MAX_ATTRIBUTES || found.hasFingerprint) return false;
    const type = view.getUint16(offset);
    const valueBytes = view.getUint16(offset + 2);
    if (offset + 4 + valueBytes > view.byteLength) return false;
    // RFC 8489 §14.5: after MESSAGE-INTEGRITY only FINGERPRINT counts.
    const counts = found.integrityOffset === null || type === ATTRIBUTE.fingerprint;
    if (counts && !readAttribute(found, view, type, offset)) return false;
    offset += 4 + ((valueBytes + 3) & ~3);
  }
  return offset === view.byteLength;
}

function readAttribute(found: Found, view: DataView, type: number, offset: number): boolean {
  const value = found.bytes.subarray(offset + 4, offset + 4 + view.getUint16(offset + 2));
  switch (type) {
    case ATTRIBUTE.username:
      found.username = Buffer.from(value).toString("utf8");
      return true;
    case ATTRIBUTE.messageIntegrity:
      found.integrityOffset = offset;
      return value.length === INTEGRITY_BYTES;
    case ATTRIBUTE.fingerprint:
      found.hasFingerprint = true;
      return value.length === 4 && view.getUint32(offset + 4) === fingerprintOf(found.bytes, offset);
    case ATTRIBUTE.useCandidate:
      found.useCandidate = true;
      return true;
    case ATTRIBUTE.iceControlled:
      found.role = "controlled";
      return value.length === 8;
    case ATTRIBUTE.iceControlling:
      found.role = "controlling";
      return value.length === 8;
    case ATTRIBUTE.errorCode:
      found.errorCode = value.length < 4 ? null : ((value[2] ?? 0) & 7) * 100 + (value[3] ?? 0);
      return found.errorCode !== null;
    case ATTRIBUTE.xorMappedAddress:
      found.mappedAddress = readXorAddress(value, found.bytes);
      return found.mappedAddress !== null;
    default:
      if (type < FIRST_OPTIONAL_TYPE && !UNDERSTOOD.has(type)) found.unknownRequired.push(type);
      return true;
  }
}

/** True when the message carries a MESSAGE-INTEGRITY made with `password` (RFC 8489 §14.5, short-term). */
export function hasValidIntegrity(message: StunMessage, password: string): boolean {
  if (message.integrityOffset === null) return false;
  const expected = integrityOf(message.bytes, message.integrityOffset, password);
  const start = message.integrityOffset + 4;
  return timingSafeEqual(expected, message.bytes.subarray(start, start + INTEGRITY_BYTES));
}

/** The HMAC covers the text before the attribute, with a length that already counts the attribute. */
function integrityOf(bytes: Uint8Array, offset: number, password: string): Uint8Array {
  const covered = Buffer.from(bytes.subarray(0, offset));
  covered.writeUInt16BE(offset - HEADER_BYTES + 4 + INTEGRITY_BYTES, 2);
  return createHmac("sha1", password).update(covered).digest();
}

function fingerprintOf(bytes: Uint8Array, offset: number): number {
  const covered = Buffer.from(bytes.subarray(0, offset));
  covered.writeUInt16BE(offset - HEADER_BYTES + 8, 2);
  return (crc32(covered) ^ FINGERPRINT_XOR) >>> 0;
}

export interface StunAttribute {
  readonly type: number;
  readonly value: Uint8Array;
}

/** XOR-MAPPED-ADDRESS, RFC 8489 §14.2. */
export function xorMappedAddress(at: StunAddress, transactionId: Uint8Array): StunAttribute {
  const plain = addressBytes(at.address);
  const value = Buffer.alloc(4 + plain.length);
  value[1] = plain.length === 4 ? 1 : 2;
  value.writeUInt16BE(at.port ^ (MAGIC_COOKIE >>> 16), 2);
  const mask = xorMask(transactionId);
  for (let i = 0; i < plain.length; i += 1) value[4 + i] = (plain[i] ?? 0) ^ (mask[i] ?? 0);
  return { type: ATTRIBUTE.xorMappedAddress, value };
}

/** ERROR-CODE, RFC 8489 §14.8. */
export function errorCode(code: number, reason: string): StunAttribute {
  const head = Buffer.from([0, 0, Math.floor(code / 100), code % 100]);
  return { type: ATTRIBUTE.errorCode, value: Buffer.concat([head, Buffer.from(reason, "utf8")]) };
}

/** UNKNOWN-ATTRIBUTES, RFC 8489 §14.13. */
export function unknownAttributes(types: readonly number[]): StunAttribute {
  const value = Buffer.alloc(types.length * 2);
  types.forEach((type, index) => {
    value.writeUInt16BE(type, index * 2);
  });
  return { type: ATTRIBUTE.unknownAttributes, value };
}

/** USERNAME, ICE-CONTROLLING and the like for building checks; the phone itself never sends any. */
export function checkAttributes(check: {
  readonly username: string;
  readonly priority: number;
  readonly role: IceRole;
  readonly useCandidate: boolean;
}): readonly StunAttribute[] {
  const priority = Buffer.alloc(4);
  priority.writeUInt32BE(check.priority);
  const roleType = check.role === "controlled" ? ATTRIBUTE.iceControlled : ATTRIBUTE.iceControlling;
  const attributes = [
    { type: ATTRIBUTE.username, value: Buffer.from(check.username, "utf8") },
    { type: ATTRIBUTE.priority, value: priority },
    { type: roleType, value: Buffer.alloc(8, 7) },
  ];
  return check.useCandidate
    ? [...attributes, { type: ATTRIBUTE.useCandidate, value: Buffer.alloc(0) }]
    : attributes;
}

const TYPE_OF_CLASS = { request: 0x0001, indication: 0x0011, success: 0x0101, error: 0x0111 } as const;

/** Serializes a Binding message, with MESSAGE-INTEGRITY unless `password` is null, and with FINGERPRINT. */
export function buildStunMessage(
  messageClass: StunClass,
  transactionId: Uint8Array,
  attributes: readonly StunAttribute[],
  password: string | null,
): Uint8Array {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(TYPE_OF_CLASS[messageClass], 0);
  header.writeUInt32BE(MAGIC_COOKIE, 4);
  header.set(transactionId, 8);
  let message: Buffer = Buffer.concat([header, ...attributes.map(serializeAttribute)]);
  if (password !== null) {
    const value = integrityOf(message, message.length, password);
    message = Buffer.concat([message, serializeAttribute({ type: ATTRIBUTE.messageIntegrity, value })]);
  }
  const fingerprint = Buffer.alloc(8);
  fingerprint.writeUInt16BE(ATTRIBUTE.fingerprint, 0);
  fingerprint.writeUInt16BE(4, 2);
  fingerprint.writeUInt32BE(fingerprintOf(message, message.length), 4);
  message = Buffer.concat([message, fingerprint]);
  message.writeUInt16BE(message.length - HEADER_BYTES, 2);
  return message;
}

function serializeAttribute(attribute: StunAttribute): Uint8Array {
  const bytes = Buffer.alloc(4 + ((attribute.value.length + 3) & ~3));
  bytes.writeUInt16BE(attribute.type, 0);
  bytes.writeUInt16BE(attribute.value.length, 2);
  bytes.set(attribute.value, 4);
  return bytes;
}

function xorMask(transactionId: Uint8Array): Uint8Array {
  const mask = Buffer.alloc(16);
  mask.writeUInt32BE(MAGIC_COOKIE, 0);
  mask.set(transactionId, 4);
  return mask;
}

function readXorAddress(value: Uint8Array, message: Uint8Array): StunAddress | null {
  const family = value[1];
  if (!((family === 1 && value.length === 8) || (family === 2 && value.length === 20))) return null;
  const port = (((value[2] ?? 0) << 8) | (value[3] ?? 0)) ^ (MAGIC_COOKIE >>> 16);
  const mask = xorMask(message.subarray(8, 20));
  const plain = value.subarray(4).map((byte, index) => byte ^ (mask[index] ?? 0));
  return { address: addressText(plain), port };
}

function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0)).toString(16));
  return groups.join(":");
}

function addressBytes(address: string): Uint8Array {
  if (!address.includes(":")) return Uint8Array.from(address.split("."), Number);
  const [head = "", tail] = (address.split("%")[0] ?? "").split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = new Array<string>(Math.max(0, 8 - left.length - right.length)).fill("0");
  const bytes = Buffer.alloc(16);
  [...left, ...zeros, ...right].slice(0, 8).forEach((group, index) => {
    bytes.writeUInt16BE(Number.parseInt(group, 16) & 0xffff, index * 2);
  });
  return bytes;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** ITU-T V.42, the CRC of RFC 8489 §14.7. `node:zlib` has one only from Node 20.15 and 22.2 on. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (CRC_TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return ~crc >>> 0;
}
