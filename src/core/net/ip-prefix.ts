import { canonicalAddress } from "../transport/address.ts";
import { parseIp } from "../transport/address-bytes.ts";

/** All addresses that begin with the same bits. */
export interface IpPrefix {
  /** 4 or 16 bytes; those behind `bits` mean nothing. */
  readonly bytes: Uint8Array;
  readonly bits: number;
}

/**
 * The bytes of an IP literal: 4, also for an IPv4-mapped IPv6 address, which a socket connects to as to the IPv4 one; or 16.
 *
 * @returns null for what is no literal: names, zones, IPv4 in hexadecimal, octal or short form.
 */
export function addressBytes(text: string): Uint8Array | null {
  const canonical = canonicalAddress(text);
  if (canonical === null) return null;
  const bytes = new Uint8Array(canonical.includes(":") ? 16 : 4);
  parseIp(canonical, bytes, 0);
  return bytes;
}

/** Reads `10.0.0.0/8`, `fd00::/8`, or an address alone, which is a prefix of all its bits. Null for anything else. */
export function parseIpPrefix(text: string): IpPrefix | null {
  const slash = text.indexOf("/");
  const bytes = addressBytes(slash < 0 ? text : text.slice(0, slash));
  if (bytes === null) return null;
  const allBits = bytes.length * 8;
  if (slash < 0) return { bytes, bits: allBits };
  const bits = text.slice(slash + 1);
  return /^\d{1,3}$/.test(bits) && Number(bits) <= allBits ? { bytes, bits: Number(bits) } : null;
}

export function isInPrefix(address: Uint8Array, prefix: IpPrefix): boolean {
  if (address.length !== prefix.bytes.length) return false;
  const wholeBytes = prefix.bits >> 3;
  for (let i = 0; i < wholeBytes; i += 1) if (address[i] !== prefix.bytes[i]) return false;
  const restBits = prefix.bits & 7;
  if (restBits === 0) return true;
  const differing = (address[wholeBytes] ?? 0) ^ (prefix.bytes[wholeBytes] ?? 0);
  return differing >> (8 - restBits) === 0;
}
