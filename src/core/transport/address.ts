/** Where a datagram comes from or goes to. Node's `rinfo` is one as it is. */
export interface TransportAddress {
  /** IP literal as Node's sockets report it: dotted IPv4, or RFC 5952 IPv6 in lower case. */
  readonly address: string;
  readonly port: number;
}
