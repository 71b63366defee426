import { createHmac } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { HmacSha1 } from "./hmac-sha1.ts";

function digestHex(key: Uint8Array, message: Uint8Array, word: number): string {
  const digest = new HmacSha1(key).digest(message, 0, message.length, word);
  return Array.from(digest, (part) => (part >>> 0).toString(16).padStart(8, "0")).join("");
}

test.each([
  ["0b".repeat(20), Buffer.from("Hi There").toString("hex"), "b617318655057264e28bc0b6fb378c8ef146be00"],
  [
    Buffer.from("Jefe").toString("hex"),
    Buffer.from("what do ya want for nothing?").toString("hex"),
    "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
  ],
  ["aa".repeat(20), "dd".repeat(50), "125d7342b9ac11cd91a39af48aa17b4f63f175d3"],
  [
    "0102030405060708090a0b0c0d0e0f10111213141516171819",
    "cd".repeat(50),
    "4c9007f4026250c6bc8414f9bf50c86c2d7235da",
  ],
])("the vector of RFC 2202 with key %s comes out", (key, message, expected) => {
  const bytes = Buffer.from(message, "hex");
  const word = bytes.readInt32BE(bytes.length - 4);
  expect(digestHex(Buffer.from(key, "hex"), bytes.subarray(0, -4), word)).toBe(expected);
});

test("every length gives what node:crypto gives", () => {
  const key = Buffer.from("cebe321f6ff7716b6fd4ab49af256a156d38baa4", "hex");
  for (let bytes = 0; bytes <= 260; bytes++) {
    const message = Buffer.alloc(bytes, bytes);
    const word = Buffer.from([0x80, 1, 2, bytes]);
    const expected = createHmac("sha1", key).update(message).update(word).digest("hex");
    expect(digestHex(key, message, word.readInt32BE(0))).toBe(expected);
  }
});

test("any part of a buffer gives what node:crypto gives", () => {
  const bytes = fc.uint8Array({ maxLength: 400 });
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 64 }),
      bytes,
      fc.nat(50),
      fc.integer(),
      (key, buffer, skip, word) => {
        const start = Math.min(skip, buffer.length);
        const digest = new HmacSha1(key).digest(buffer, start, buffer.length, word);
        const expected = createHmac("sha1", key).update(buffer.subarray(start));
        expected.update(Buffer.from([word >>> 24, word >>> 16, word >>> 8, word]));
        const words = Array.from(digest, (part) => (part >>> 0).toString(16).padStart(8, "0"));
        expect(words.join("")).toBe(expected.digest("hex"));
      },
    ),
  );
});
