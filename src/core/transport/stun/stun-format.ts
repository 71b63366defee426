// RFC 8489 §5:
//
//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |0 0|     STUN Message Type     |         Message Length        |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |                         Magic Cookie                          |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |                     Transaction ID (96 bits)                  |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
// Then attributes, each a type, a length, and a value padded to 32 bits (§14).

export const MAGIC_COOKIE = 0x2112a442;
export const HEADER_BYTES = 20;
export const TRANSACTION_ID_OFFSET = 8;
export const TRANSACTION_ID_BYTES = 12;
export const ATTRIBUTE_HEADER_BYTES = 4;
/** HMAC-SHA1, RFC 8489 §14.5. */
export const INTEGRITY_BYTES = 20;
export const FINGERPRINT_BYTES = 4;
/** RFC 8489 §6.1 keeps STUN over UDP within one unfragmented packet. What is longer is no ICE check. */
export const MAX_STUN_BYTES = 1280;

/** RFC 8489 §18.3 and RFC 8445 §16.1. */
export const ATTRIBUTE = {
  mappedAddress: 0x0001,
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

/** RFC 8489 §14: a receiver that does not know a type from here on ignores it; below, it must refuse. */
export const FIRST_OPTIONAL_TYPE = 0x8000;

export type StunClass = "request" | "indication" | "success" | "error";

/** Types of the one method that there is, Binding (0x001), with the class in bits 4 and 8 (RFC 8489 §5). */
export const BINDING: Readonly<Record<StunClass, number>> = {
  request: 0x0001,
  indication: 0x0011,
  success: 0x0101,
  error: 0x0111,
};

/** A value's length with its padding. */
export function paddedBytes(valueBytes: number): number {
  return (valueBytes + 3) & ~3;
}
