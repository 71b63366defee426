import { createCipheriv, randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { CIPHER_SUITES, type CipherSuite, cipherSuite } from "./cipher-suites.ts";
import { RecordCipher } from "./record-cipher.ts";

const MAX_SEQUENCE = 2 ** 48 - 1;
const HANDSHAKE = 22;

function pair(suite: CipherSuite): { sealing: RecordCipher; opening: RecordCipher } {
  const key = randomBytes(suite.keyBytes);
  const fixedIv = randomBytes(suite.fixedIvBytes);
  return { sealing: new RecordCipher(suite, key, fixedIv), opening: new RecordCipher(suite, key, fixedIv) };
}

test("suites are found by id, and no other", () => {
  expect(CIPHER_SUITES.map((suite) => suite.id)).toEqual([0xc02b, 0xc02f, 0xcca9, 0xcca8, 0xc02c, 0xc030]);
  expect(cipherSuite(0xc030)?.prfHash).toBe("sha384");
  expect(cipherSuite(0x002f)).toBeNull();
});

test.each(CIPHER_SUITES)("$name opens what it sealed", (suite) => {
  const { sealing, opening } = pair(suite);
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 255 }),
      fc.integer({ min: 0, max: 0xffff }),
      fc.integer({ min: 0, max: MAX_SEQUENCE }),
      fc.uint8Array({ maxLength: 300 }),
      (type, epoch, sequence, plaintext) => {
        const payload = sealing.seal(type, epoch, sequence, plaintext);
        expect(Buffer.from(opening.open(type, epoch, sequence, payload) ?? "no")).toEqual(
          Buffer.from(plaintext),
        );
      },
    ),
  );
});

test.each(CIPHER_SUITES)(
  "$name refuses another type, epoch, sequence, and each changed or missing byte",
  (suite) => {
    const { sealing, opening } = pair(suite);
    const payload = sealing.seal(HANDSHAKE, 1, 7, Buffer.from("finished"));
    expect(opening.open(HANDSHAKE + 1, 1, 7, payload)).toBeNull();
    expect(opening.open(HANDSHAKE, 2, 7, payload)).toBeNull();
    expect(opening.open(HANDSHAKE, 1, 8, payload)).toBeNull();
    for (let i = 0; i < payload.length; i++) {
      const tampered = Buffer.from(payload);
      tampered[i]! ^= 0x10;
      expect(opening.open(HANDSHAKE, 1, 7, tampered)).toBeNull();
      expect(opening.open(HANDSHAKE, 1, 7, payload.subarray(0, i))).toBeNull();
    }
    expect(opening.open(HANDSHAKE, 1, 7, payload)).not.toBeNull();
  },
);

test("a GCM record carries its epoch and sequence number as the explicit nonce", () => {
  const suite = cipherSuite(0xc02b)!;
  const key = randomBytes(16);
  const fixedIv = randomBytes(4);
  const payload = new RecordCipher(suite, key, fixedIv).seal(HANDSHAKE, 1, 0x0102030405, Buffer.from("abc"));
  const explicit = Buffer.from("0001000102030405", "hex");
  const cipher = createCipheriv("aes-128-gcm", key, Buffer.concat([fixedIv, explicit]));
  cipher.setAAD(Buffer.concat([explicit, Buffer.from("16fefd0003", "hex")]));
  const expected = Buffer.concat([explicit, cipher.update("abc"), cipher.final(), cipher.getAuthTag()]);
  expect(Buffer.from(payload)).toEqual(expected);
});

test("a GCM record may carry any explicit nonce", () => {
  const suite = cipherSuite(0xc02b)!;
  const key = randomBytes(16);
  const fixedIv = randomBytes(4);
  const explicit = randomBytes(8);
  const cipher = createCipheriv("aes-128-gcm", key, Buffer.concat([fixedIv, explicit]));
  cipher.setAAD(Buffer.from("000100000000000016fefd0003", "hex"));
  const payload = Buffer.concat([explicit, cipher.update("abc"), cipher.final(), cipher.getAuthTag()]);
  const plaintext = new RecordCipher(suite, key, fixedIv).open(HANDSHAKE, 1, 0, payload);
  expect(Buffer.from(plaintext ?? "").toString()).toBe("abc");
});

test("a ChaCha20 record carries no nonce: the counter is XORed into the fixed one", () => {
  const suite = cipherSuite(0xcca9)!;
  const key = randomBytes(32);
  const fixedIv = randomBytes(12);
  const payload = new RecordCipher(suite, key, fixedIv).seal(HANDSHAKE, 1, 2, Buffer.from("abc"));
  const nonce = Buffer.from(fixedIv);
  nonce[5]! ^= 1;
  nonce[11]! ^= 2;
  const cipher = createCipheriv("chacha20-poly1305", key, nonce, { authTagLength: 16 });
  cipher.setAAD(Buffer.from("000100000000000216fefd0003", "hex"), { plaintextLength: 3 });
  expect(Buffer.from(payload)).toEqual(
    Buffer.concat([cipher.update("abc"), cipher.final(), cipher.getAuthTag()]),
  );
});
