import fc from "fast-check";
import { expect, test } from "vitest";
import { Ghash } from "./ghash.ts";

function ghashHex(h: Uint8Array, additional: Uint8Array, text: Uint8Array): string {
  const ghash = new Ghash(h);
  ghash.reset();
  ghash.update(additional, 0, additional.length);
  ghash.update(text, 0, text.length);
  const digest = ghash.digest(additional.length, text.length);
  return Array.from(digest, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

/** NIST SP 800-38D §6.3, §6.4, bit by bit. */
function referenceHex(h: Uint8Array, additional: Uint8Array, text: Uint8Array): string {
  const padded = (bytes: Uint8Array) => Buffer.concat([bytes, Buffer.alloc((16 - (bytes.length % 16)) % 16)]);
  const lengths = Buffer.alloc(16);
  lengths.writeUInt32BE(additional.length * 8, 4);
  lengths.writeUInt32BE(text.length * 8, 12);
  const input = Buffer.concat([padded(additional), padded(text), lengths]);
  const number = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
  let y = 0n;
  for (let at = 0; at < input.length; at += 16) {
    const x = y ^ number(input.subarray(at, at + 16));
    let v = number(h);
    y = 0n;
    for (let bit = 127n; bit >= 0n; bit--) {
      if ((x >> bit) & 1n) y ^= v;
      v = v & 1n ? (v >> 1n) ^ (0xe1n << 120n) : v >> 1n;
    }
  }
  return y.toString(16).padStart(32, "0");
}

const hex = (text: string) => Buffer.from(text, "hex");

test("test cases 2 and 4 of the GCM specification come out", () => {
  const h2 = hex("66e94bd4ef8a2c3b884cfa59ca342b2e");
  const text2 = hex("0388dace60b6a392f328c2b971b2fe78");
  expect(ghashHex(h2, new Uint8Array(0), text2)).toBe("f38cbb1ad69223dcc3457ae5b6b0f885");
  const h4 = hex("b83b533708bf535d0aa6e52980d53b78");
  const additional4 = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  const text4 = hex(
    "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
  );
  expect(ghashHex(h4, additional4, text4)).toBe("698e57f70e6ecc7fd9463b7260a9ae5f");
});

test("any key and any lengths give what the definition gives", () => {
  const bytes = fc.uint8Array({ maxLength: 120 });
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), bytes, bytes, (h, additional, text) => {
      expect(ghashHex(h, additional, text)).toBe(referenceHex(h, additional, text));
    }),
    { numRuns: 300 },
  );
});
