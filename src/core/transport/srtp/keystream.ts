import { type Cipher, createCipheriv } from "node:crypto";
import type { SessionKeys } from "./key-derivation.ts";
import type { SrtpProfile } from "./srtp-profile.ts";

const BLOCK_BYTES = 16;
/** What is made ahead: 2 KB, or 21 packets of 80 bytes. More is hardly faster, and every call has two of them. */
const WINDOW_BLOCKS = 128;
const EMPTY = new Uint8Array(0);

// Counter blocks go from here straight into the cipher: all keys share this memory.
const counterBlocks = new Uint8Array(WINDOW_BLOCKS * BLOCK_BYTES);

export interface KeystreamOptions {
  readonly profile: SrtpProfile;
  readonly keys: SessionKeys;
  /** False where packets are rare: SRTCP. */
  readonly prefetches: boolean;
}

/**
 * The AES counter-mode keystream of a direction's packets (RFC 3711 §4.1.1, RFC 7714 §8.1).
 *
 * A packet's counter blocks follow from its SSRC and index alone, and those of the next packets are known: one call to
 * one long-lived ECB cipher makes the keystream of the next ones, 0.05 us each, where a cipher object per packet takes
 * 2 us. Packets that come late, jump ahead or are larger than those before get theirs alone and leave the window as it is.
 */
export class Keystream {
  readonly #cipher: Cipher;
  readonly #isAead: boolean;
  readonly #prefetches: boolean;
  readonly #salt: Int32Array;

  /** Where the keystream is that `locate` found; valid until the next call. */
  bytes: Uint8Array = EMPTY;

  #window: Uint8Array = EMPTY;
  #windowSsrc = 0;
  #windowStart = 0;
  #windowPackets = 0;
  #blocksPerPacket = 0;

  /** What follows the last genuine packet. */
  #nextSsrc = 0;
  #nextIndex = 0;
  /** Blocks of the largest genuine packet since the window was filled. */
  #largestBlocks = 0;

  constructor({ profile, keys, prefetches }: KeystreamOptions) {
    this.#isAead = profile === "SRTP_AEAD_AES_128_GCM";
    this.#prefetches = prefetches;
    this.#cipher = createCipheriv("aes-128-ecb", keys.encryptionKey, null).setAutoPadding(false);
    const padded = new Uint8Array(BLOCK_BYTES);
    padded.set(keys.salt);
    this.#salt = Int32Array.from({ length: 4 }, (_, word) => new DataView(padded.buffer).getInt32(4 * word));
  }

  /** The block cipher's output for a block of zeros, which is GCM's hash subkey. */
  encryptZeros(): Uint8Array {
    return this.#cipher.update(new Uint8Array(BLOCK_BYTES));
  }

  /**
   * Finds or makes the keystream of one packet. It changes nothing that a forged packet could spoil for the next ones.
   * @param blocks From the packet's first counter block on; for GCM that is the one of the tag.
   * @returns Offset in `bytes`.
   */
  locate(ssrc: number, index: number, blocks: number): number {
    if (this.#hasInWindow(ssrc, index, blocks)) return this.#windowOffset(index);
    if (!this.#canMoveWindowTo(ssrc, index, blocks)) return this.#makeOne(ssrc, index, blocks);
    this.#moveWindow();
    return this.#windowOffset(index);
  }

  /** Says that the packet was genuine: the ones after it will come. */
  advance(ssrc: number, index: number, blocks: number): void {
    if (ssrc !== this.#nextSsrc) {
      this.#nextSsrc = ssrc;
      this.#nextIndex = 0;
    }
    if (index >= this.#nextIndex) this.#nextIndex = index + 1;
    if (blocks > this.#largestBlocks) this.#largestBlocks = blocks;
  }

  #hasInWindow(ssrc: number, index: number, blocks: number): boolean {
    const slot = index - this.#windowStart;
    return (
      slot >= 0 && slot < this.#windowPackets && blocks <= this.#blocksPerPacket && ssrc === this.#windowSsrc
    );
  }

  #windowOffset(index: number): number {
    this.bytes = this.#window;
    return (index - this.#windowStart) * this.#blocksPerPacket * BLOCK_BYTES;
  }

  /** The window only moves to what follows a genuine packet: forged ones cannot drag it away. */
  #canMoveWindowTo(ssrc: number, index: number, blocks: number): boolean {
    if (!this.#prefetches || ssrc !== this.#nextSsrc || blocks > this.#largestBlocks) return false;
    const isThereAlready = this.#windowStart === this.#nextIndex && this.#windowSsrc === ssrc;
    const slot = index - this.#nextIndex;
    return !isThereAlready && slot >= 0 && (slot + 1) * this.#largestBlocks <= WINDOW_BLOCKS;
  }

  #moveWindow(): void {
    this.#blocksPerPacket = this.#largestBlocks;
    this.#largestBlocks = 0;
    this.#windowSsrc = this.#nextSsrc;
    this.#windowStart = this.#nextIndex;
    this.#windowPackets = Math.floor(WINDOW_BLOCKS / this.#blocksPerPacket);
    for (let slot = 0; slot < this.#windowPackets; slot++) {
      const at = slot * this.#blocksPerPacket * BLOCK_BYTES;
      this.#writeCounters(
        counterBlocks,
        at,
        this.#windowSsrc,
        this.#windowStart + slot,
        this.#blocksPerPacket,
      );
    }
    this.#window = this.#encrypt(counterBlocks, this.#windowPackets * this.#blocksPerPacket);
  }

  #makeOne(ssrc: number, index: number, blocks: number): number {
    const counters = blocks <= WINDOW_BLOCKS ? counterBlocks : new Uint8Array(blocks * BLOCK_BYTES);
    this.#writeCounters(counters, 0, ssrc, index, blocks);
    this.bytes = this.#encrypt(counters, blocks);
    return 0;
  }

  #encrypt(counters: Uint8Array, blocks: number): Uint8Array {
    return this.#cipher.update(counters.subarray(0, blocks * BLOCK_BYTES));
  }

  #writeCounters(into: Uint8Array, start: number, ssrc: number, index: number, blocks: number): void {
    const [s0 = 0, s1 = 0, s2 = 0, s3 = 0] = this.#salt;
    const rollover = Math.floor(index / 0x10000);
    const sequence = index & 0xffff;
    let at = start;
    for (let block = 0; block < blocks; block++, at += BLOCK_BYTES) {
      if (this.#isAead) {
        // RFC 7714 §8.1: two zero bytes, SSRC, index (48 bits), XOR salt; then NIST SP 800-38D §7.1's counter, from 1.
        writeWord(into, at, s0 ^ (ssrc >>> 16));
        writeWord(into, at + 4, s1 ^ (ssrc << 16) ^ (rollover >>> 16));
        writeWord(into, at + 8, s2 ^ (rollover << 16) ^ sequence);
        writeWord(into, at + 12, block + 1);
      } else {
        // RFC 3711 §4.1.1: salt, SSRC and index, each shifted to its place; the counter, from 0, is in the last 16 bits.
        writeWord(into, at, s0);
        writeWord(into, at + 4, s1 ^ ssrc);
        writeWord(into, at + 8, s2 ^ rollover);
        writeWord(into, at + 12, (s3 ^ (sequence << 16)) + block);
      }
    }
  }
}

function writeWord(into: Uint8Array, at: number, word: number): void {
  into[at] = word >>> 24;
  into[at + 1] = word >>> 16;
  into[at + 2] = word >>> 8;
  into[at + 3] = word;
}
