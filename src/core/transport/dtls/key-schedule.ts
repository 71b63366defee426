import { SRTP_KEY_BYTES, type SrtpMasterKey, type SrtpProfile } from "../srtp/srtp-profile.ts";
import type { CipherSuite } from "./cipher-suites.ts";
import type { DtlsRole } from "./dtls-types.ts";
import { prf } from "./prf.ts";
import { RecordCipher } from "./record-cipher.ts";
import type { RecordCiphers } from "./record-layer.ts";

const MASTER_SECRET_BYTES = 48;
/** RFC 5246 §7.4.9. */
export const VERIFY_DATA_BYTES = 12;

export interface HelloRandoms {
  readonly client: Uint8Array;
  readonly server: Uint8Array;
}

/** Everything that is derived from the premaster secret. */
export class KeySchedule {
  readonly #suite: CipherSuite;
  readonly #randoms: HelloRandoms;
  readonly #masterSecret: Uint8Array;

  /** @param sessionHash Of the transcript up to and with the ClientKeyExchange; null without extended master secret. */
  constructor(
    suite: CipherSuite,
    premasterSecret: Uint8Array,
    randoms: HelloRandoms,
    sessionHash: Uint8Array | null,
  ) {
    this.#suite = suite;
    this.#randoms = randoms;
    // RFC 7627 §4; RFC 5246 §8.1.
    const label = sessionHash === null ? "master secret" : "extended master secret";
    const seed = sessionHash ?? Buffer.concat([randoms.client, randoms.server]);
    this.#masterSecret = prf(suite.prfHash, premasterSecret, label, seed, MASTER_SECRET_BYTES);
  }

  /** RFC 5246 §6.3: client's key, server's key, client's IV, server's IV; an AEAD has no MAC keys. */
  recordCiphers(role: DtlsRole): RecordCiphers {
    const { keyBytes, fixedIvBytes } = this.#suite;
    const seed = Buffer.concat([this.#randoms.server, this.#randoms.client]);
    const block = this.#expand("key expansion", seed, 2 * (keyBytes + fixedIvBytes));
    const ivs = block.subarray(2 * keyBytes);
    const client = new RecordCipher(this.#suite, block.subarray(0, keyBytes), ivs.subarray(0, fixedIvBytes));
    const server = new RecordCipher(
      this.#suite,
      block.subarray(keyBytes, 2 * keyBytes),
      ivs.subarray(fixedIvBytes),
    );
    return role === "client" ? { read: server, write: client } : { read: client, write: server };
  }

  /** RFC 5246 §7.4.9: what the Finished of `sender` holds. */
  verifyData(sender: DtlsRole, transcriptHash: Uint8Array): Uint8Array {
    return this.#expand(`${sender} finished`, transcriptHash, VERIFY_DATA_BYTES);
  }

  /** RFC 5764 §4.2, by the exporter of RFC 5705 §4 without a context: keys of client and server, then their salts. */
  srtpKeys(
    profile: SrtpProfile,
    role: DtlsRole,
  ): { readonly localSrtp: SrtpMasterKey; readonly remoteSrtp: SrtpMasterKey } {
    const { key, salt } = SRTP_KEY_BYTES[profile];
    const seed = Buffer.concat([this.#randoms.client, this.#randoms.server]);
    const material = this.#expand("EXTRACTOR-dtls_srtp", seed, 2 * (key + salt));
    const salts = material.subarray(2 * key);
    const client = { key: material.subarray(0, key), salt: salts.subarray(0, salt) };
    const server = { key: material.subarray(key, 2 * key), salt: salts.subarray(salt) };
    return role === "client"
      ? { localSrtp: client, remoteSrtp: server }
      : { localSrtp: server, remoteSrtp: client };
  }

  #expand(label: string, seed: Uint8Array, lengthBytes: number): Uint8Array {
    return prf(this.#suite.prfHash, this.#masterSecret, label, seed, lengthBytes);
  }
}
