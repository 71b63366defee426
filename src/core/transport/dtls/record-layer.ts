import { ReplayWindow } from "../replay-window.ts";
import {
  DTLS_1_0,
  DTLS_1_2,
  type DtlsRecord,
  MAX_PLAINTEXT_BYTES,
  RECORD_HEADER_BYTES,
  SEQUENCE_LIMIT,
  writeRecord,
} from "./record.ts";
import type { RecordCipher } from "./record-cipher.ts";

/** Without renegotiation there are two: before the keys, and with them. */
export type Epoch = 0 | 1;

export interface RecordCiphers {
  readonly read: RecordCipher;
  readonly write: RecordCipher;
}

/** Explicit nonce and tag of GCM, the larger of our AEADs (RFC 5288 §3). */
const AEAD_OVERHEAD_BYTES = 24;
/** A ClientHello with a number beyond this counts from no zero; following it could use the 48 bits up. */
const MAX_FOLLOWED_SEQUENCE = 2 ** 32;

/** The most that a record of this epoch is larger than what it carries, in bytes. */
export function recordOverheadBytes(epoch: Epoch): number {
  return epoch === 0 ? RECORD_HEADER_BYTES : RECORD_HEADER_BYTES + AEAD_OVERHEAD_BYTES;
}

/** Numbers and protects our records, opens the peer's (RFC 6347 §4.1). */
export class RecordLayer {
  readonly #nextSequences: [number, number] = [0, 0];
  readonly #replayWindow = new ReplayWindow();
  #ciphers: RecordCiphers | null = null;

  /** The epoch of the last record that we made. */
  get writeEpoch(): Epoch {
    return this.#nextSequences[1] > 0 ? 1 : 0;
  }

  get hasKeys(): boolean {
    return this.#ciphers !== null;
  }

  installKeys(ciphers: RecordCiphers): void {
    this.#ciphers = ciphers;
  }

  /**
   * RFC 6347 §4.2.1: a server numbers its answer to a ClientHello as the client numbered that. We keep counting where
   * that is more: we have state, and so no number is ever used twice.
   */
  followSequence(sequence: number): void {
    if (sequence > this.#nextSequences[0] && sequence < MAX_FOLLOWED_SEQUENCE)
      this.#nextSequences[0] = sequence;
  }

  /** A whole record; null without keys for epoch 1, or when the sequence numbers are used up. */
  seal(epoch: Epoch, contentType: number, plaintext: Uint8Array): Uint8Array | null {
    const sequence = this.#nextSequences[epoch];
    const cipher = epoch === 1 ? this.#ciphers?.write : null;
    if (cipher === undefined || sequence >= SEQUENCE_LIMIT) return null;
    this.#nextSequences[epoch] = sequence + 1;
    const payload = cipher === null ? plaintext : cipher.seal(contentType, epoch, sequence, plaintext);
    return writeRecord({ contentType, epoch, sequence, payload });
  }

  /** The plaintext of a record of epoch 1; null when it is not authentic, or seen before. */
  open(record: DtlsRecord): Uint8Array | null {
    const { contentType, epoch, sequence, payload } = record;
    if (epoch !== 1 || this.#ciphers === null || !this.#replayWindow.isNew(sequence)) return null;
    const plaintext = this.#ciphers.read.open(contentType, epoch, sequence, payload);
    if (plaintext === null) return null;
    // RFC 6347 §4.1.2.6: the window moves only for records that proved authentic.
    this.#replayWindow.accept(sequence);
    return plaintext;
  }
}

/** A record that is worth a look: of a version and a size that we know. */
export function isPlausible({ version, epoch, payload }: DtlsRecord): boolean {
  // RFC 5246 appendix E.1: a ClientHello's record may name an earlier version, and Chromium's and OpenSSL's do.
  if (version !== DTLS_1_2 && !(version === DTLS_1_0 && epoch === 0)) return false;
  return payload.length > 0 && payload.length <= MAX_PLAINTEXT_BYTES + AEAD_OVERHEAD_BYTES;
}
