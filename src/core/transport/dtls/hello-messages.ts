import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import {
  encodeExtensions,
  type HelloExtensions,
  type ParsedExtensions,
  parseExtensions,
} from "./hello-extensions.ts";
import { DTLS_1_0, DTLS_1_2 } from "./record.ts";

export const RANDOM_BYTES = 32;
/** RFC 5246 §7.4.1.3, RFC 6347 §4.2.1. */
const MAX_SESSION_ID_BYTES = 32;
/** RFC 5246 §6.1: the one that there is. */
export const NO_COMPRESSION = 0;
/** RFC 5746 §3.3: TLS_EMPTY_RENEGOTIATION_INFO_SCSV, which stands for the empty extension. */
export const RENEGOTIATION_SCSV = 0x00ff;

/** RFC 6347 §4.3.2. */
export interface ClientHello {
  readonly random: Uint8Array;
  readonly cookie: Uint8Array;
  readonly cipherSuites: readonly number[];
  readonly extensions: HelloExtensions;
}

export interface ParsedClientHello extends ClientHello {
  readonly version: number;
  readonly sessionId: Uint8Array;
  readonly compressionMethods: Uint8Array;
  readonly extensions: ParsedExtensions;
}

export function encodeClientHello({ random, cookie, cipherSuites, extensions }: ClientHello): Uint8Array {
  return new ByteWriter()
    .uint16(DTLS_1_2)
    .bytes(random)
    .uint8(0) // No session id: sessions are never resumed.
    .vector8(cookie)
    .uint16List(cipherSuites)
    .vector8(Uint8Array.of(NO_COMPRESSION))
    .bytes(encodeExtensions(extensions))
    .finish();
}

/** Null when malformed, or when it is no DTLS. */
export function parseClientHello(body: Uint8Array): ParsedClientHello | null {
  const reader = new ByteReader(body);
  const version = reader.uint16();
  const random = reader.bytes(RANDOM_BYTES);
  const sessionId = reader.vector8();
  const cookie = reader.vector8();
  const cipherSuites = reader.uint16List();
  const compressionMethods = reader.vector8();
  const extensions = parseExtensions(reader);
  if (extensions === null || sessionId.length > MAX_SESSION_ID_BYTES || !isDtls(version)) return null;
  return { version, random, sessionId, cookie, cipherSuites, compressionMethods, extensions };
}

export interface ServerHello {
  readonly random: Uint8Array;
  readonly cipherSuite: number;
  readonly extensions: HelloExtensions;
}

export interface ParsedServerHello extends ServerHello {
  readonly version: number;
  readonly compressionMethod: number;
  readonly extensions: ParsedExtensions;
}

/** RFC 5246 §7.4.1.3. */
export function encodeServerHello({ random, cipherSuite, extensions }: ServerHello): Uint8Array {
  return new ByteWriter()
    .uint16(DTLS_1_2)
    .bytes(random)
    .uint8(0) // No session id: there will be nothing to resume.
    .uint16(cipherSuite)
    .uint8(NO_COMPRESSION)
    .bytes(encodeExtensions(extensions))
    .finish();
}

/** Null when malformed. */
export function parseServerHello(body: Uint8Array): ParsedServerHello | null {
  const reader = new ByteReader(body);
  const version = reader.uint16();
  const random = reader.bytes(RANDOM_BYTES);
  const sessionId = reader.vector8();
  const cipherSuite = reader.uint16();
  const compressionMethod = reader.uint8();
  const extensions = parseExtensions(reader);
  if (extensions === null || sessionId.length > MAX_SESSION_ID_BYTES) return null;
  return { version, random, cipherSuite, compressionMethod, extensions };
}

/** RFC 6347 §4.2.1: says DTLS 1.0 whatever will be negotiated. */
export function encodeHelloVerifyRequest(cookie: Uint8Array): Uint8Array {
  return new ByteWriter().uint16(DTLS_1_0).vector8(cookie).finish();
}

/** The cookie; null when malformed. RFC 6347 §4.2.1: its version means nothing for the negotiation. */
export function parseHelloVerifyRequest(body: Uint8Array): Uint8Array | null {
  const reader = new ByteReader(body);
  reader.uint16();
  const cookie = reader.vector8();
  return reader.isComplete ? cookie : null;
}

/** RFC 6347 §4.1: minor versions count down. */
export function includesDtls12(version: number): boolean {
  return version <= DTLS_1_2;
}

function isDtls(version: number): boolean {
  return version >>> 8 === DTLS_1_2 >>> 8;
}
