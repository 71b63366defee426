import { lookup } from "node:dns/promises";

/** Gives all addresses of a name, as IP literals in the order to try them. Rejects when there are none. */
export type HostResolver = (host: string) => Promise<readonly string[]>;

/** The system's: the hosts file and whatever else it is set up to ask, not DNS alone. */
export const resolveHost: HostResolver = async (host) => {
  const addresses = await lookup(host, { all: true, verbatim: true });
  return addresses.map(({ address }) => address);
};
