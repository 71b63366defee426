import { createCipheriv, createHmac, randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { deriveSessionKeys, type SessionKeys } from "./key-derivation.ts";
import type { SrtpMasterKey, SrtpProfile } from "./srtp-profile.ts";
import { SrtpReceiver } from "./srtp-receiver.ts";
import { SrtpSender } from "./srtp-sender.ts";

// SRTP written a second time, as the RFCs have it and by node:crypto's own GCM, counter mode and HMAC: no prefetching,
// no tables, big integers for the IVs.

const PROFILES = [
  { profile: "SRTP_AEAD_AES_128_GCM", saltBytes: 12 },
  { profile: "SRTP_AES128_CM_HMAC_SHA1_80", saltBytes: 14 },
] as const;

interface Sealing {
  readonly keys: SessionKeys;
  readonly packet: Buffer;
  readonly headerBytes: number;
  readonly ssrc: bigint;
  readonly index: bigint;
  /** SRTCP only: E flag and index. */
  readonly word?: Buffer;
}

/** RFC 3711 §4.1.1, §4.2. */
function sealAesCm({ keys, packet, headerBytes, ssrc, index, word }: Sealing): Buffer {
  const salt = BigInt(`0x${Buffer.from(keys.salt).toString("hex")}`);
  const cipher = createCipheriv(
    "aes-128-ctr",
    keys.encryptionKey,
    bytes((salt << 16n) ^ (ssrc << 64n) ^ (index << 16n), 16),
  );
  const ciphertext = cipher.update(packet.subarray(headerBytes));
  const sealed = Buffer.concat([packet.subarray(0, headerBytes), ciphertext, word ?? Buffer.alloc(0)]);
  const hmac = createHmac("sha1", keys.authenticationKey).update(sealed);
  if (word === undefined) hmac.update(bytes(index >> 16n, 4));
  return Buffer.concat([sealed, hmac.digest().subarray(0, 10)]);
}

/** RFC 7714 §8, §9. */
function sealAesGcm({ keys, packet, headerBytes, ssrc, index, word }: Sealing): Buffer {
  const salt = BigInt(`0x${Buffer.from(keys.salt).toString("hex")}`);
  const cipher = createCipheriv("aes-128-gcm", keys.encryptionKey, bytes(salt ^ (ssrc << 48n) ^ index, 12));
  const header = packet.subarray(0, headerBytes);
  cipher.setAAD(Buffer.concat([header, word ?? Buffer.alloc(0)]));
  const ciphertext = Buffer.concat([cipher.update(packet.subarray(headerBytes)), cipher.final()]);
  return Buffer.concat([header, ciphertext, cipher.getAuthTag(), word ?? Buffer.alloc(0)]);
}

const SEAL: Record<SrtpProfile, (sealing: Sealing) => Buffer> = {
  SRTP_AES128_CM_HMAC_SHA1_80: sealAesCm,
  SRTP_AEAD_AES_128_GCM: sealAesGcm,
};

function bytes(value: bigint, length: number): Buffer {
  return Buffer.from(value.toString(16).padStart(2 * length, "0"), "hex");
}

function createMaster(saltBytes: number): SrtpMasterKey {
  return { key: randomBytes(16), salt: randomBytes(saltBytes) };
}

const packets = fc.array(
  fc.record({
    payload: fc.oneof(
      { weight: 8, arbitrary: fc.uint8Array({ maxLength: 200 }) },
      { weight: 1, arbitrary: fc.uint8Array({ minLength: 900, maxLength: 1300 }) },
    ),
    contributingSources: fc.integer({ min: 0, max: 15 }),
    extensionWords: fc.option(fc.integer({ min: 0, max: 6 })),
    gap: fc.oneof(
      { weight: 6, arbitrary: fc.constant(1) },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: 20_000 }) },
    ),
  }),
  { minLength: 1, maxLength: 60 },
);

function header(
  sequence: number,
  ssrc: number,
  contributingSources: number,
  extensionWords: number | null,
): Buffer {
  const fixed = randomBytes(12 + 4 * contributingSources);
  fixed[0] = 0x80 | contributingSources | (extensionWords === null ? 0 : 0x10);
  fixed.writeUInt16BE(sequence, 2);
  fixed.writeUInt32BE(ssrc, 8);
  if (extensionWords === null) return fixed;
  const extension = randomBytes(4 + 4 * extensionWords);
  extension.writeUInt16BE(extensionWords, 2);
  return Buffer.concat([fixed, extension]);
}

test.each(PROFILES)(
  "$profile: thousands of RTP packets are what node:crypto makes, both ways",
  ({ profile, saltBytes }) => {
    fc.assert(
      fc.property(packets, fc.nat(0xffff), fc.nat(0xffffffff), (steps, firstSequence, ssrc) => {
        const master = createMaster(saltBytes);
        const { rtp: keys } = deriveSessionKeys(profile, master);
        const sender = new SrtpSender(profile, master);
        const receiver = new SrtpReceiver(profile, master);
        let index = firstSequence;
        for (const { payload, contributingSources, extensionWords, gap } of steps) {
          const head = header(index & 0xffff, ssrc, contributingSources, extensionWords);
          const packet = Buffer.concat([head, payload]);
          const expected = SEAL[profile]({
            keys,
            packet,
            headerBytes: head.length,
            ssrc: BigInt(ssrc),
            index: BigInt(index),
          });
          const out = Buffer.alloc(2000);
          const written = sender.protectRtp(packet, packet.length, out, 3);
          expect(out.subarray(3, 3 + written).equals(expected)).toBe(true);
          const received = receiver.unprotectRtp(expected);
          expect(expected.subarray(0, received).equals(packet)).toBe(true);
          index += gap;
        }
      }),
      { numRuns: 120 },
    );
  },
);

test.each(PROFILES)(
  "$profile: RTCP packets are what node:crypto makes, both ways",
  ({ profile, saltBytes }) => {
    const bodies = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(bodies, fc.nat(0xffffffff), (steps, ssrc) => {
        const master = createMaster(saltBytes);
        const { rtcp: keys } = deriveSessionKeys(profile, master);
        const sender = new SrtpSender(profile, master);
        const receiver = new SrtpReceiver(profile, master);
        for (const [index, body] of steps.entries()) {
          const packet = Buffer.concat([Buffer.from([0x80, 201, 0, 1]), bytes(BigInt(ssrc), 4), body]);
          const word = bytes(BigInt(index) | 0x80000000n, 4);
          const expected = SEAL[profile]({
            keys,
            packet,
            headerBytes: 8,
            ssrc: BigInt(ssrc),
            index: BigInt(index),
            word,
          });
          const out = Buffer.alloc(400);
          const written = sender.protectRtcp(packet, packet.length, out, 0);
          expect(out.subarray(0, written).equals(expected)).toBe(true);
          const received = receiver.unprotectRtcp(expected);
          expect(expected.subarray(0, received).equals(packet)).toBe(true);
        }
      }),
    );
  },
);
