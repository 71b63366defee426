/** RFC 8422 §5.1.1 named groups. */
export type NamedGroup = "x25519" | "secp256r1";

export const NAMED_GROUP_IDS: Readonly<Record<NamedGroup, number>> = { x25519: 29, secp256r1: 23 };

/** An ephemeral ECDHE key pair. */
export class EphemeralKey {
  /** As it goes into the key exchange messages: 32 bytes for X25519, an uncompressed point for P-256. */
  get publicKey(): Uint8Array {
    throw new Error("not built yet");
  }

  static create(_group: NamedGroup): EphemeralKey {
    throw new Error("not built yet");
  }

  /** The premaster secret; null when the peer's key is no valid one (not on the curve, of low order, of another length). */
  computeSecret(_peerPublicKey: Uint8Array): Uint8Array | null {
    throw new Error("not built yet");
  }
}
