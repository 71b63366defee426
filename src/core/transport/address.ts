import { ipVersion } from "../sdp/ip-version.ts";
import { formatIp, parseIp } from "./address-bytes.ts";

/** Where a datagram comes from or goes to. Node's `rinfo` is one as it is. */
export interface TransportAddress {
  /** IP literal as Node's sockets report it: dotted IPv4, or RFC 5952 IPv6 in lower case. */
  readonly address: string;
  readonly port: number;
}

/** Compares the port first: of two addresses that differ, it mostly does. */
export function isSameAddress(a: TransportAddress, b: TransportAddress): boolean {
  return a.port === b.port && a.address === b.address;
}

/**
 * The one spelling of an IP literal that addresses are compared in: what Node's sockets report.
 * An IPv4-mapped IPv6 address becomes the IPv4 address that it stands for.
 *
 * @returns null for what is no IP literal: host names, mDNS names, zones.
 */
export function canonicalAddress(text: string): string | null {
  const version = ipVersion(text);
  if (version !== 6) return version === 4 ? text : null;
  const bytes = new Uint8Array(16);
  parseIp(text, bytes, 0);
  return formatIp(isMappedIpv4(bytes) ? bytes.subarray(12) : bytes);
}

/** Not the unspecified address, a group, or a whole network: one machine may have it. Of a canonical address. */
export function isUnicast(canonical: string): boolean {
  if (canonical.includes(":")) return canonical !== "::" && !canonical.startsWith("ff");
  const first = Number.parseInt(canonical, 10);
  return first > 0 && first < 224;
}

/** RFC 4291 §2.5.5.2: ::ffff:0:0/96. */
function isMappedIpv4(bytes: Uint8Array): boolean {
  for (let i = 0; i < 10; i += 1) if (bytes[i] !== 0) return false;
  return bytes[10] === 0xff && bytes[11] === 0xff;
}
