import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { matchesFingerprint } from "../../../src/core/transport/dtls/dtls-certificate.ts";
import { EphemeralKey } from "../../../src/core/transport/dtls/key-exchange.ts";
import {
  readPublicKey,
  SIGNATURE_SCHEMES,
  verifySignature,
} from "../../../src/core/transport/dtls/signature.ts";
import { CERTIFICATES } from "../../support/dtls-pair.ts";
import { derLayout } from "../layouts.ts";
import { type FuzzTarget, must } from "../target.ts";

const DATA = Buffer.from("what is signed");
const RSA = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ECDSA = generateKeyPairSync("ec", { namedCurve: "P-256" });
const X25519 = EphemeralKey.create("x25519");
const P256 = EphemeralKey.create("secp256r1");

const SIGNATURES = [sign("sha256", DATA, RSA.privateKey), sign("sha256", DATA, ECDSA.privateKey)];
const POINTS = [EphemeralKey.create("x25519").publicKey, EphemeralKey.create("secp256r1").publicKey];
const SAMPLES = [CERTIFICATES.client.der, CERTIFICATES.server.der, ...SIGNATURES, ...POINTS];
const FINGERPRINTS = [CERTIFICATES.client, CERTIFICATES.server].map(({ sha256Fingerprint }) => ({
  algorithm: "sha-256",
  value: sha256Fingerprint,
}));

/** What of a peer's bytes goes to OpenSSL: certificates, signatures, points of curves. */
export const DTLS_CRYPTO: FuzzTarget = {
  name: "dtls-crypto",
  layoutOf: derLayout,
  open() {
    return {
      samples: SAMPLES,
      take(bytes, { choice }) {
        const publicKey = readPublicKey(bytes);
        for (const key of [publicKey, RSA.publicKey, ECDSA.publicKey]) {
          if (key === null) continue;
          for (const scheme of [...Object.values(SIGNATURE_SCHEMES), choice]) {
            const isRight = verifySignature(scheme, key, DATA, bytes);
            must(
              !isRight || SIGNATURES.some((signature) => signature.equals(bytes)),
              "no other signature is right",
            );
          }
        }
        for (const own of [X25519, P256]) {
          const secret = own.computeSecret(bytes);
          must(secret === null || secret.length === 32, "a secret has 32 bytes");
        }
        const digest = createHash("sha256").update(bytes).digest("hex").toUpperCase();
        const isKnown = FINGERPRINTS.some(({ value }) => value.replaceAll(":", "") === digest);
        must(matchesFingerprint(bytes, FINGERPRINTS) === isKnown, "a certificate has one fingerprint");
      },
      check() {},
    };
  },
};
