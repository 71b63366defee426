import { addressBytes } from "../../../core/net/ip-prefix.ts";

/** What counts as one client by its address: an IPv4 address, or the /64 that one site has of IPv6 (RFC 6177, section 2). */
export function addressGroup(address: string): string {
  const bytes = addressBytes(address);
  if (bytes === null) return address.slice(0, 64);
  if (bytes.length === 4) return bytes.join(".");
  return Array.from(bytes.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
