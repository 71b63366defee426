import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { NAMED_GROUP_IDS, type NamedGroup } from "./key-exchange.ts";
import { SIGNATURE_SCHEMES } from "./signature.ts";

/** RFC 8422 §5.4: ECCurveType. */
const NAMED_CURVE = 3;
/** RFC 5246 §7.4.4, RFC 8422 §5.5: ClientCertificateType. */
const RSA_SIGN = 1;
const ECDSA_SIGN = 64;
/** Far more than any certificate with a key that we take. */
const MAX_CERTIFICATE_BYTES = 8192;

/** RFC 5246 §4.7. */
export interface DigitallySigned {
  readonly scheme: number;
  readonly signature: Uint8Array;
}

function readDigitallySigned(reader: ByteReader): DigitallySigned {
  return { scheme: reader.uint16(), signature: reader.vector16() };
}

/** RFC 5246 §7.4.2, with our one certificate. */
export function encodeCertificate(der: Uint8Array): Uint8Array {
  return new ByteWriter().vector24(new ByteWriter().vector24(der).finish()).finish();
}

/**
 * The peer's own certificate, the first of its chain; empty when it sends none, null when malformed or too large. The
 * rest of the chain is not looked at: RFC 8122 §6.2 pins that one by its fingerprint.
 */
export function parseCertificate(body: Uint8Array): Uint8Array | null {
  const reader = new ByteReader(body);
  const chain = new ByteReader(reader.vector24());
  const own = chain.hasMore ? chain.vector24() : new Uint8Array(0);
  while (chain.hasMore) chain.vector24();
  if (!reader.isComplete || !chain.isComplete || own.length > MAX_CERTIFICATE_BYTES) return null;
  return own;
}

export interface ServerKeyExchange extends DigitallySigned {
  readonly group: number;
  readonly publicKey: Uint8Array;
  /** The bytes that are signed, together with both randoms (RFC 8422 §5.4). */
  readonly parameters: Uint8Array;
}

/** RFC 8422 §5.4: ServerECDHParams. */
export function encodeEcdhParameters(group: NamedGroup, publicKey: Uint8Array): Uint8Array {
  return new ByteWriter().uint8(NAMED_CURVE).uint16(NAMED_GROUP_IDS[group]).vector8(publicKey).finish();
}

export function encodeServerKeyExchange(parameters: Uint8Array, signed: DigitallySigned): Uint8Array {
  return new ByteWriter().bytes(parameters).uint16(signed.scheme).vector16(signed.signature).finish();
}

/** Null when malformed. */
export function parseServerKeyExchange(body: Uint8Array): ServerKeyExchange | null {
  const reader = new ByteReader(body);
  const curveType = reader.uint8();
  const group = reader.uint16();
  const publicKey = reader.vector8();
  const parameters = body.subarray(0, 4 + publicKey.length);
  const signed = readDigitallySigned(reader);
  if (!reader.isComplete || curveType !== NAMED_CURVE) return null;
  return { group, publicKey, parameters, ...signed };
}

/** RFC 5246 §7.4.4: any key and signature that we can verify, of whatever authority. */
export function encodeCertificateRequest(): Uint8Array {
  return new ByteWriter()
    .vector8(Uint8Array.of(ECDSA_SIGN, RSA_SIGN))
    .uint16List(Object.values(SIGNATURE_SCHEMES))
    .uint16(0)
    .finish();
}

/** The signature schemes that the server takes; null when malformed. */
export function parseCertificateRequest(body: Uint8Array): readonly number[] | null {
  const reader = new ByteReader(body);
  reader.vector8();
  const schemes = reader.uint16List();
  reader.vector16();
  return reader.isComplete ? schemes : null;
}

/** RFC 8422 §5.7. */
export function encodeClientKeyExchange(publicKey: Uint8Array): Uint8Array {
  return new ByteWriter().vector8(publicKey).finish();
}

/** The client's public key; null when malformed. */
export function parseClientKeyExchange(body: Uint8Array): Uint8Array | null {
  const reader = new ByteReader(body);
  const publicKey = reader.vector8();
  return reader.isComplete ? publicKey : null;
}

/** RFC 5246 §7.4.8. */
export function encodeCertificateVerify({ scheme, signature }: DigitallySigned): Uint8Array {
  return new ByteWriter().uint16(scheme).vector16(signature).finish();
}

/** Null when malformed. */
export function parseCertificateVerify(body: Uint8Array): DigitallySigned | null {
  const reader = new ByteReader(body);
  const signed = readDigitallySigned(reader);
  return reader.isComplete ? signed : null;
}
