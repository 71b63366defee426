import { addressBytes, type IpPrefix, isInPrefix, parseIpPrefix } from "./ip-prefix.ts";

/** What an IP address stands for. Everything but `public` leads into a network that a stranger must not reach through us. */
export type AddressClass =
  | "public"
  | "unspecified"
  | "loopback"
  | "private"
  | "link-local"
  | "shared"
  | "cloud-internal"
  | "multicast"
  | "broadcast"
  | "documentation"
  | "benchmarking"
  | "transition"
  | "reserved";

interface ClassifiedPrefix extends IpPrefix {
  readonly addressClass: AddressClass;
}

/**
 * Looked through from the top. IANA's registries of special-purpose addresses for IPv4 and IPv6 (RFC 6890), with the groups of
 * RFC 5771 and RFC 4291 §2.7.
 */
const PREFIXES: readonly ClassifiedPrefix[] = [
  prefix("0.0.0.0/8", "unspecified"), // RFC 791 §3.2: Linux connects 0.0.0.0 to itself.
  prefix("10.0.0.0/8", "private"), // RFC 1918
  prefix("100.64.0.0/10", "shared"), // RFC 6598; Alibaba's metadata at 100.100.100.200
  prefix("127.0.0.0/8", "loopback"), // RFC 1122 §3.2.1.3
  prefix("168.63.129.16/32", "cloud-internal"), // Azure's host, from every machine in it; otherwise nobody's
  prefix("169.254.0.0/16", "link-local"), // RFC 3927; the metadata of nearly every cloud at 169.254.169.254
  prefix("172.16.0.0/12", "private"), // RFC 1918
  prefix("192.0.0.0/24", "reserved"), // RFC 6890 §2.1; Oracle's metadata at 192.0.0.192
  prefix("192.0.2.0/24", "documentation"), // RFC 5737
  prefix("192.88.99.0/24", "transition"), // RFC 7526: relays of 6to4
  prefix("192.168.0.0/16", "private"), // RFC 1918
  prefix("198.18.0.0/15", "benchmarking"), // RFC 2544
  prefix("198.51.100.0/24", "documentation"), // RFC 5737
  prefix("203.0.113.0/24", "documentation"), // RFC 5737
  prefix("224.0.0.0/4", "multicast"), // RFC 5771
  prefix("255.255.255.255/32", "broadcast"), // RFC 919
  prefix("240.0.0.0/4", "reserved"), // RFC 1112 §4
  prefix("0.0.0.0/0", "public"),
  prefix("::/128", "unspecified"), // RFC 4291 §2.5.2
  prefix("::1/128", "loopback"), // RFC 4291 §2.5.3
  prefix("::/96", "transition"), // RFC 4291 §2.5.5.1: IPv4-compatible
  prefix("64:ff9b:1::/48", "transition"), // RFC 8215: where the IPv4 address lies is the network's own affair
  prefix("fc00::/7", "private"), // RFC 4193; AWS's metadata at fd00:ec2::254
  prefix("fe80::/10", "link-local"), // RFC 4291 §2.5.6
  prefix("fec0::/10", "private"), // RFC 3879: site-local, as old networks still have it
  prefix("ff00::/8", "multicast"), // RFC 4291 §2.7
  prefix("2001::/32", "transition"), // RFC 4380: Teredo
  prefix("2001:2::/48", "benchmarking"), // RFC 5180
  prefix("2001:db8::/32", "documentation"), // RFC 3849
  prefix("2001::/23", "reserved"), // RFC 2928: protocols' own, ORCHIDs among them
  prefix("2002::/16", "transition"), // RFC 3056: 6to4
  prefix("3fff::/20", "documentation"), // RFC 9637
  prefix("2000::/3", "public"), // RFC 4291 §2.4: all that is given out of IPv6
  prefix("::/0", "reserved"),
];

/** RFC 6052 §2.1: an IPv4 address in its last four bytes, which DNS64 gives to machines that have IPv6 alone. */
const NAT64 = prefix("64:ff9b::/96", "transition");

/** Says what the address is that a literal names; null when it is none. */
export function classifyAddress(text: string): AddressClass | null {
  const bytes = addressBytes(text);
  return bytes === null ? null : classifyBytes(bytes);
}

function classifyBytes(bytes: Uint8Array): AddressClass {
  if (isInPrefix(bytes, NAT64)) return classifyBytes(bytes.subarray(12));
  return PREFIXES.find((candidate) => isInPrefix(bytes, candidate))?.addressClass ?? "reserved";
}

function prefix(text: string, addressClass: AddressClass): ClassifiedPrefix {
  const parsed = parseIpPrefix(text);
  if (parsed === null) throw new Error(`${text} is no prefix.`);
  return { ...parsed, addressClass };
}
