const SEQUENCE = 0x30;
const BIT_STRING = 0x03;
const EXPLICIT_VERSION = 0xa0;
/** Serial number, signature, issuer, validity, subject: RFC 5280 §4.1, what lies between the version and the key. */
const FIELDS_BEFORE_KEY = 5;
const P256_FIELD_BYTES = 32;
/** RFC 5480 §2: id-ecPublicKey with secp256r1, as a whole AlgorithmIdentifier. */
const P256_ALGORITHM = Uint8Array.of(
  ...[0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01],
  ...[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
);

/** One DER element: where its content lies, and where the next one begins. */
interface Element {
  readonly start: number;
  readonly end: number;
}

/** The point of a P-256 key. */
export interface P256Point {
  readonly x: Uint8Array;
  readonly y: Uint8Array;
}

/**
 * Finds the public key of a certificate whose key is on P-256, as nearly all of WebRTC's are: OpenSSL's parser takes a tenth of a
 * handshake's time. Null for any other certificate, and for what is none. Whether the point is on the curve is for the importer to say.
 */
export function findP256Point(der: Uint8Array): P256Point | null {
  const certificate = readElement(der, 0, der.length, SEQUENCE);
  const toBeSigned = certificate && readElement(der, certificate.start, certificate.end, SEQUENCE);
  if (!toBeSigned) return null;
  let at = toBeSigned.start;
  if (der[at] === EXPLICIT_VERSION) at = readElement(der, at, toBeSigned.end)?.end ?? der.length;
  for (let field = 0; field < FIELDS_BEFORE_KEY; field += 1) {
    at = readElement(der, at, toBeSigned.end)?.end ?? der.length;
  }
  const keyInfo = readElement(der, at, toBeSigned.end, SEQUENCE);
  return keyInfo && readPoint(der, keyInfo);
}

function readPoint(der: Uint8Array, { start, end }: Element): P256Point | null {
  if (!P256_ALGORITHM.every((byte, index) => der[start + index] === byte)) return null;
  const bits = readElement(der, start + P256_ALGORITHM.length, end, BIT_STRING);
  // No unused bits, and an uncompressed point (SEC 1 §2.3.3).
  const isPoint = bits !== null && bits.end === end && der[bits.start] === 0 && der[bits.start + 1] === 4;
  if (!isPoint || bits.end - bits.start !== 2 + 2 * P256_FIELD_BYTES) return null;
  const x = bits.start + 2;
  const y = x + P256_FIELD_BYTES;
  return { x: der.subarray(x, y), y: der.subarray(y, bits.end) };
}

/** Null when there is no whole element before `limit`, or another one than is wanted. */
function readElement(der: Uint8Array, at: number, limit: number, wantedTag?: number): Element | null {
  const tag = der[at];
  const first = der[at + 1];
  if (tag === undefined || first === undefined || at + 2 > limit) return null;
  if (wantedTag !== undefined && tag !== wantedTag) return null;
  // X.690 §8.1.3: lengths from 128 on say first how many bytes they have. No certificate that we take has more than two.
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (lengthBytes > 2 || first === 0x80) return null;
  let length = first < 0x80 ? first : 0;
  for (let i = 0; i < lengthBytes; i += 1) length = length * 256 + (der[at + 2 + i] ?? 0);
  const start = at + 2 + lengthBytes;
  return start + length > limit ? null : { start, end: start + length };
}
