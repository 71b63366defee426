import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";

/** IANA TLS ExtensionType values. */
const EXTENSION = {
  supportedGroups: 10, // RFC 8422 §5.1.1
  ecPointFormats: 11, // RFC 8422 §5.1.2
  signatureAlgorithms: 13, // RFC 5246 §7.4.1.4.1
  useSrtp: 14, // RFC 5764 §4.1.1
  extendedMasterSecret: 23, // RFC 7627 §5.1
  renegotiationInfo: 0xff01, // RFC 5746 §3.2
} as const;

export interface UseSrtp {
  readonly profiles: readonly number[];
  /** Master key identifier; empty when there is none. */
  readonly mki: Uint8Array;
}

/** The extensions of a ClientHello or a ServerHello that mean something to us. An absent one is absent here. */
export interface HelloExtensions {
  readonly supportedGroups?: readonly number[];
  readonly ecPointFormats?: readonly number[];
  readonly signatureSchemes?: readonly number[];
  readonly useSrtp?: UseSrtp;
  readonly extendedMasterSecret?: boolean;
  /** `renegotiated_connection`: empty in a first handshake. */
  readonly renegotiationInfo?: Uint8Array;
}

export interface ParsedExtensions extends HelloExtensions {
  /** There are some that we never send: fine in a ClientHello, not in an answer to ours. */
  readonly hasUnknown: boolean;
}

/** The vector of extensions, its length included. */
export function encodeExtensions(extensions: HelloExtensions): Uint8Array {
  const { supportedGroups, ecPointFormats, signatureSchemes, useSrtp, renegotiationInfo } = extensions;
  const all = new ByteWriter();
  const add = (type: number, body: ByteWriter) => all.uint16(type).vector16(body.finish());
  if (renegotiationInfo) add(EXTENSION.renegotiationInfo, new ByteWriter().vector8(renegotiationInfo));
  if (extensions.extendedMasterSecret === true) add(EXTENSION.extendedMasterSecret, new ByteWriter());
  if (supportedGroups) add(EXTENSION.supportedGroups, new ByteWriter().uint16List(supportedGroups));
  if (ecPointFormats) {
    add(EXTENSION.ecPointFormats, new ByteWriter().vector8(Uint8Array.from(ecPointFormats)));
  }
  if (signatureSchemes) add(EXTENSION.signatureAlgorithms, new ByteWriter().uint16List(signatureSchemes));
  if (useSrtp) add(EXTENSION.useSrtp, new ByteWriter().uint16List(useSrtp.profiles).vector8(useSrtp.mki));
  return new ByteWriter().vector16(all.finish()).finish();
}

/** What is left of a hello: nothing or its extensions. Null when malformed. */
export function parseExtensions(hello: ByteReader): ParsedExtensions | null {
  if (!hello.hasMore) return hello.isComplete ? { hasUnknown: false } : null;
  const list = new ByteReader(hello.vector16());
  if (!hello.isComplete) return null;
  const seen = new Set<number>();
  let extensions: ParsedExtensions = { hasUnknown: false };
  while (list.hasMore) {
    const type = list.uint16();
    const body = new ByteReader(list.vector16());
    if (seen.has(type)) return null; // RFC 5246 §7.4.1.4: no type may come twice.
    seen.add(type);
    const known = readExtension(type, body);
    if (known !== null && !body.isComplete) return null;
    // Among the unknown ones are those of DTLS 1.3 and GREASE (RFC 8701).
    extensions = known === null ? { ...extensions, hasUnknown: true } : { ...extensions, ...known };
  }
  return list.isComplete ? extensions : null;
}

/** Null for types that mean nothing to us. */
function readExtension(type: number, body: ByteReader): HelloExtensions | null {
  switch (type) {
    case EXTENSION.supportedGroups:
      return { supportedGroups: body.uint16List() };
    case EXTENSION.ecPointFormats:
      return { ecPointFormats: Array.from(body.vector8()) };
    case EXTENSION.signatureAlgorithms:
      return { signatureSchemes: body.uint16List() };
    case EXTENSION.useSrtp:
      return { useSrtp: { profiles: body.uint16List(), mki: body.vector8() } };
    case EXTENSION.extendedMasterSecret:
      return { extendedMasterSecret: true };
    case EXTENSION.renegotiationInfo:
      return { renegotiationInfo: body.vector8() };
    default:
      return null;
  }
}
