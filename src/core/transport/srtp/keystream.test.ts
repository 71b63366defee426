import { createCipheriv, randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Keystream } from "./keystream.ts";
import type { SrtpProfile } from "./srtp-profile.ts";

const AES_CM = "SRTP_AES128_CM_HMAC_SHA1_80";
const AES_GCM = "SRTP_AEAD_AES_128_GCM";
const SALT_BYTES = { [AES_CM]: 14, [AES_GCM]: 12 };
const PROFILES: readonly SrtpProfile[] = [AES_CM, AES_GCM];
const hex = (text: string) => Buffer.from(text, "hex");

function create(profile: SrtpProfile, options: { prefetches?: boolean; key?: Buffer; salt?: Buffer } = {}) {
  const encryptionKey = options.key ?? randomBytes(16);
  const salt = options.salt ?? randomBytes(SALT_BYTES[profile]);
  const keys = { encryptionKey, salt, authenticationKey: new Uint8Array(20) };
  const keystream = new Keystream({ profile, keys, prefetches: options.prefetches ?? true });
  const take = (ssrc: number, index: number, blocks: number) => {
    const at = keystream.locate(ssrc, index, blocks);
    return Buffer.from(keystream.bytes.subarray(at, at + 16 * blocks));
  };
  return { keystream, take, expected: reference(profile, encryptionKey, salt) };
}

/** The formulas of RFC 3711 §4.1.1 and RFC 7714 §8.1 as they stand, and node:crypto's own counter mode. */
function reference(profile: SrtpProfile, key: Buffer, salt: Buffer) {
  return (ssrc: number, index: number, blocks: number): Buffer => {
    const saltNumber = BigInt(`0x${salt.toString("hex")}`);
    const source = BigInt(ssrc >>> 0);
    const iv =
      profile === AES_CM
        ? (saltNumber << 16n) ^ (source << 64n) ^ (BigInt(index) << 16n)
        : ((saltNumber ^ (source << 48n) ^ BigInt(index)) << 32n) | 1n;
    const cipher = createCipheriv("aes-128-ctr", key, hex(iv.toString(16).padStart(32, "0")));
    return cipher.update(Buffer.alloc(16 * blocks));
  };
}

test("the keystream is that of RFC 3711 B.2, from its first block to its last", () => {
  const { take } = create(AES_CM, {
    key: hex("2b7e151628aed2a6abf7158809cf4f3c"),
    salt: hex("f0f1f2f3f4f5f6f7f8f9fafbfcfd"),
  });
  const keystream = take(0, 0, 65_282);
  expect(keystream.subarray(0, 48).toString("hex")).toBe(
    "e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab41e95b3bb0a2e8dd477901e4fca894c0",
  );
  expect(keystream.subarray(-48).toString("hex")).toBe(
    "ec8cdf7398607cb0f2d21675ea9ea1e4362b7c3c6773516318a077d7fc5073ae6a2cc3787889374fbeb4c81b17ba6c44",
  );
});

test.each(PROFILES)("%s: any packets in any order get the keystream of the formula", (profile) => {
  const step = fc.record({
    ssrc: fc.constantFrom(1, -1, 0x7fff_0001),
    jump: fc.oneof(
      { weight: 8, arbitrary: fc.constant(1) },
      { weight: 1, arbitrary: fc.integer({ min: -50, max: 300 }) },
    ),
    blocks: fc.oneof(
      { weight: 8, arbitrary: fc.integer({ min: 1, max: 9 }) },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: 300 }) },
    ),
    isGenuine: fc.boolean(),
  });
  const start = fc.constantFrom(0, 65_500, 2 ** 31 - 40, 2 ** 32 - 40, 2 ** 47, 2 ** 48 - 40_000);
  fc.assert(
    fc.property(start, fc.array(step, { maxLength: 120 }), (first, steps) => {
      const { keystream, take, expected } = create(profile);
      let index = first;
      for (const { ssrc, jump, blocks, isGenuine } of steps) {
        index = Math.max(0, index + jump);
        expect(take(ssrc, index, blocks)).toEqual(expected(ssrc, index, blocks));
        if (isGenuine) keystream.advance(ssrc, index, blocks);
      }
    }),
  );
});

/** Packets, in order and genuine, that came out of the first one's buffer. */
function countFromOneWindow(
  { keystream, take }: ReturnType<typeof create>,
  first: number,
  blocks: number,
): number {
  take(1, first, blocks);
  const window = keystream.bytes;
  let index = first;
  for (; keystream.bytes === window; index++) {
    keystream.advance(1, index, blocks);
    take(1, index + 1, blocks);
  }
  return index - first;
}

test("packets in order come out of one window of 2 KB", () => {
  const stream = create(AES_GCM);
  stream.take(1, 0, 6);
  stream.keystream.advance(1, 0, 6);
  expect(countFromOneWindow(stream, 1, 6)).toBe(21);
  expect(stream.keystream.bytes.length).toBeLessThanOrEqual(2048);
});

test("the window follows the sizes of the packets, up and down", () => {
  const stream = create(AES_GCM);
  let index = 0;
  for (const [blocks, packets] of [
    [6, 21],
    [20, 6],
    [3, 42],
    [100, 1],
    [6, 21],
  ] as const) {
    // The old size's window may last for a while, then comes one of the new size.
    for (let i = 0; i < 100; i++, index++) {
      stream.take(1, index, blocks);
      stream.keystream.advance(1, index, blocks);
    }
    const oldWindow = stream.keystream.bytes;
    while (stream.keystream.bytes === oldWindow) {
      stream.keystream.advance(1, index, blocks);
      stream.take(1, ++index, blocks);
    }
    expect(countFromOneWindow(stream, index, blocks)).toBe(packets);
    index += packets;
  }
});

test("late packets and jumps leave the window in its place", () => {
  const { keystream, take } = create(AES_CM);
  for (let index = 1000; index < 1003; index++) {
    take(1, index, 5);
    keystream.advance(1, index, 5);
  }
  const window = keystream.bytes;
  take(1, 990, 5);
  expect(keystream.bytes).not.toBe(window);
  keystream.advance(1, 990, 5);
  take(1, 60_000, 5);
  expect(keystream.bytes).not.toBe(window);
  take(1, 1003, 5);
  expect(keystream.bytes).toBe(window);
});

test("forged packets, next in order and of any size, do not move the window", () => {
  const { keystream, take } = create(AES_GCM);
  for (let index = 0; index < 3; index++) {
    take(1, index, 6);
    keystream.advance(1, index, 6);
  }
  const window = keystream.bytes;
  for (let index = 3; index < 200; index++) take(1, index, (index % 90) + 1);
  for (let ssrc = 2; ssrc < 20; ssrc++) take(ssrc, 3, 6);
  take(1, 3, 6);
  expect(keystream.bytes).toBe(window);
});

test("without prefetching every packet gets its own", () => {
  const { keystream, take, expected } = create(AES_GCM, { prefetches: false });
  for (let index = 0; index < 5; index++) {
    expect(take(1, index, 4)).toEqual(expected(1, index, 4));
    expect(keystream.bytes.length).toBe(64);
    keystream.advance(1, index, 4);
  }
});
