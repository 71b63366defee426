import fc from "fast-check";
import { expect, test } from "vitest";
import { derBitString, derExplicit, derInteger, derObjectIdentifier, derSequence, derTime } from "./der.ts";

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

test("an integer is positive and as short as possible", () => {
  expect(hex(derInteger(Uint8Array.of(2)))).toBe("020102");
  expect(hex(derInteger(Uint8Array.of(0x80)))).toBe("02020080");
  expect(hex(derInteger(Uint8Array.of(0, 0, 1, 0)))).toBe("02020100");
  expect(hex(derInteger(Uint8Array.of(0)))).toBe("020100");
  expect(hex(derInteger(new Uint8Array(0)))).toBe("020100");
});

test("an object identifier is written in base 128", () => {
  expect(hex(derObjectIdentifier("1.2.840.10045.4.3.2"))).toBe("06082a8648ce3d040302");
  expect(hex(derObjectIdentifier("2.5.4.3"))).toBe("0603550403");
});

test("lengths take the shortest form", () => {
  expect(hex(derSequence())).toBe("3000");
  expect(hex(derBitString(new Uint8Array(126)).subarray(0, 2))).toBe("037f");
  expect(hex(derBitString(new Uint8Array(127)).subarray(0, 3))).toBe("038180");
  expect(hex(derExplicit(0, new Uint8Array(300)).subarray(0, 4))).toBe("a082012c");
});

test("times through 2049 have two digits for the year, later ones four", () => {
  expect(Buffer.from(derTime(Date.UTC(2049, 11, 31, 23, 59, 59))).toString("latin1")).toBe(
    "\x17\x0d491231235959Z",
  );
  expect(Buffer.from(derTime(Date.UTC(2050, 0, 1))).toString("latin1")).toBe("\x18\x0f20500101000000Z");
});

test("any time is the one of the calendar", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: Date.UTC(2399, 11, 31) }), (wallMs) => {
      const digits = new Date(wallMs).toISOString().replace(/\.\d+Z|[-:T]/g, "");
      const expected = new Date(wallMs).getUTCFullYear() < 2050 ? digits.slice(2) : digits;
      expect(Buffer.from(derTime(wallMs).subarray(2)).toString("latin1")).toBe(`${expected}Z`);
    }),
    { numRuns: 2000 },
  );
});
