import {
  createECDH,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type JsonWebKeyInput,
  randomBytes,
} from "node:crypto";

/** RFC 8422 §5.1.1 named groups. */
export type NamedGroup = "x25519" | "secp256r1" | "secp384r1";

/** By preference. */
export const NAMED_GROUP_IDS: Readonly<Record<NamedGroup, number>> = {
  x25519: 29,
  secp256r1: 23,
  secp384r1: 24,
};

/** The group of an id; null when it is none of ours. */
export function namedGroup(id: number): NamedGroup | null {
  const found = Object.entries(NAMED_GROUP_IDS).find(([, groupId]) => groupId === id);
  return found === undefined ? null : (found[0] as NamedGroup);
}

/** OpenSSL's names of the curves. */
const CURVES = { secp256r1: "prime256v1", secp384r1: "secp384r1" } as const;

/** RFC 8422 §5.4: the first byte of a point, and the only form that is left. */
const UNCOMPRESSED = 4;

/** RFC 7748 §5: any 32 random bytes are a private key. */
const X25519_KEY_BYTES = 32;

/** Throws when the peer's key is no valid one. */
type Agreement = (peerPublicKey: Uint8Array) => Uint8Array;

/** An ephemeral ECDHE key pair. */
export class EphemeralKey {
  /** As it goes into the key exchange messages: 32 bytes for X25519, an uncompressed point for the others. */
  readonly publicKey: Uint8Array;
  readonly #agree: Agreement;

  private constructor(publicKey: Uint8Array, agree: Agreement) {
    this.publicKey = publicKey;
    this.#agree = agree;
  }

  static create(group: NamedGroup): EphemeralKey {
    return group === "x25519" ? EphemeralKey.#createX25519() : EphemeralKey.#createOnCurve(CURVES[group]);
  }

  /** The premaster secret; null when the peer's key is no valid one (not on the curve, of low order, of another length). */
  computeSecret(peerPublicKey: Uint8Array): Uint8Array | null {
    if (peerPublicKey.length !== this.publicKey.length) return null;
    try {
      return this.#agree(peerPublicKey);
    } catch {
      return null; // OpenSSL refuses points off the curve, and secrets of zeros as RFC 8422 §5.11 asks.
    }
  }

  static #createX25519(): EphemeralKey {
    // Not generateKeyPairSync: the garbage collector, when it meets the finished job while `export` holds the key's lock,
    // waits for that lock in the same thread for ever (seen with Node 20.20; test/transport/key-generation.test.ts).
    // Raw keys go in and out as JWK, several times as fast as by way of DER.
    const d = randomBytes(X25519_KEY_BYTES).toString("base64url");
    // RFC 8037 §2 wants the public key beside the private one; OpenSSL computes it and never looks.
    const privateKey = createPrivateKey({ format: "jwk", key: { kty: "OKP", crv: "X25519", d, x: "" } });
    const raw = Buffer.from(privateKey.export({ format: "jwk" }).x ?? "", "base64url");
    return new EphemeralKey(raw, (peer) =>
      diffieHellman({ privateKey, publicKey: createPublicKey(x25519Jwk(peer)) }),
    );
  }

  static #createOnCurve(curve: string): EphemeralKey {
    const ecdh = createECDH(curve);
    return new EphemeralKey(ecdh.generateKeys(), (peer) => {
      if (peer[0] !== UNCOMPRESSED) throw new RangeError("not an uncompressed point");
      return ecdh.computeSecret(peer);
    });
  }
}

function x25519Jwk(raw: Uint8Array): JsonWebKeyInput {
  return { format: "jwk", key: { kty: "OKP", crv: "X25519", x: Buffer.from(raw).toString("base64url") } };
}
