import { type NetworkInterfaceInfo, networkInterfaces } from "node:os";

type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/**
 * The IP addresses by which others may reach this machine, in the system's order. Link-local ones are given only where
 * there is nothing else, and loopback where there is not even that.
 */
export function reachableAddresses(interfaces: Interfaces = networkInterfaces()): readonly string[] {
  const all = Object.values(interfaces).flatMap((infos) => infos ?? []);
  const external = all.filter((info) => !info.internal);
  const routable = external.filter((info) => !isLinkLocal(info.address));
  // Another machine would need a zone to reach an IPv6 link-local address, and SDP has no place for it.
  const linkLocal = external.filter((info) => info.family === "IPv4");
  const [first = []] = [routable, linkLocal, all].filter((infos) => infos.length > 0);
  return [...new Set(first.map((info) => info.address))];
}

/** RFC 3927 §2.1 and RFC 4291 §2.5.6, as the system writes them. */
function isLinkLocal(address: string): boolean {
  return address.startsWith("169.254.") || /^fe[89ab]/i.test(address);
}
