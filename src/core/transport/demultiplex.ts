/** What a datagram on a call's port holds. */
export type DatagramKind = "stun" | "dtls" | "srtp" | "unknown";

/** Tells by the first byte (RFC 7983 §7). ZRTP, TURN channels and QUIC are not used here: unknown. */
export function datagramKind(datagram: Uint8Array): DatagramKind {
  const first = datagram[0];
  if (first === undefined) return "unknown";
  if (first >= 128 && first <= 191) return "srtp";
  if (first <= 3) return "stun";
  return first >= 20 && first <= 63 ? "dtls" : "unknown";
}
