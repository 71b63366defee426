import { byteAt, uint16At, uint32At } from "../bytes.ts";
import {
  ATTRIBUTE,
  ATTRIBUTE_HEADER_BYTES,
  BINDING,
  HEADER_BYTES,
  MAGIC_COOKIE,
  paddedBytes,
} from "./stun-format.ts";

const COLON = 0x3a;
/** RFC 8839 §5.4. */
const MAX_UFRAG_BYTES = 256;

/** True for what claims to be a whole Binding request. Proves nothing; for the demultiplexer. */
export function isStunRequest(datagram: Uint8Array): boolean {
  return (
    datagram.length >= HEADER_BYTES &&
    uint16At(datagram, 0) === BINDING.request &&
    uint16At(datagram, 2) === datagram.length - HEADER_BYTES &&
    uint32At(datagram, 4) === MAGIC_COOKIE
  );
}

/**
 * Whom a Binding request is for: USERNAME is `receiver:sender` (RFC 8445 §7.2.2). Proves nothing;
 * finds the call of an address that is not known yet.
 *
 * @returns The receiver's ufrag, null when the datagram is no Binding request that names one.
 */
export function readLocalUfrag(datagram: Uint8Array): string | null {
  if (!isStunRequest(datagram)) return null;
  let offset = HEADER_BYTES;
  // Four bytes an attribute at least: a datagram's length bounds the loop.
  while (offset + ATTRIBUTE_HEADER_BYTES <= datagram.length) {
    const valueOffset = offset + ATTRIBUTE_HEADER_BYTES;
    const valueBytes = uint16At(datagram, offset + 2);
    if (valueOffset + valueBytes > datagram.length) return null;
    if (uint16At(datagram, offset) === ATTRIBUTE.username) return ufragIn(datagram, valueOffset, valueBytes);
    offset = valueOffset + paddedBytes(valueBytes);
  }
  return null;
}

function ufragIn(datagram: Uint8Array, offset: number, valueBytes: number): string | null {
  let ufrag = "";
  for (let i = 0; i < Math.min(valueBytes, MAX_UFRAG_BYTES + 1); i += 1) {
    const byte = byteAt(datagram, offset + i);
    if (byte === COLON) return ufrag === "" ? null : ufrag;
    ufrag += String.fromCharCode(byte);
  }
  return null;
}
