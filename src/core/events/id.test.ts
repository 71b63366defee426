import fc from "fast-check";
import { expect, test } from "vitest";
import { createId, type IdKind, isId } from "./id.ts";

const KINDS: readonly IdKind[] = ["call", "evt", "rec", "cmd", "whe", "dlv", "key"];
const kinds = fc.constantFrom(...KINDS);
/** What 48 bits hold. */
const times = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const tenBytes = fc.uint8Array({ minLength: 10, maxLength: 10 });

test("an id is its prefix and a UUIDv7 with the time it was made at", () => {
  fc.assert(
    fc.property(kinds, times, tenBytes, (kind, wallMs, bytes) => {
      const id = createId(kind, wallMs, () => bytes);
      expect(isId(kind, id)).toBe(true);
      const hex = id.slice(kind.length + 1);
      expect(Number.parseInt(hex.slice(0, 12), 16)).toBe(wallMs);
      expect(hex[12]).toBe("7");
      expect("89ab").toContain(hex[16]);
    }),
  );
});

test("ids of different times sort by them, whatever is random in them", () => {
  fc.assert(
    fc.property(kinds, times, times, tenBytes, tenBytes, (kind, one, other, ofOne, ofOther) => {
      fc.pre(one < other);
      expect(createId(kind, one, () => ofOne) < createId(kind, other, () => ofOther)).toBe(true);
    }),
  );
});

test("a time with a fraction makes an id as well, of its whole millisecond", () => {
  const bytes = new Uint8Array(10);
  expect(createId("evt", 1_795_694_400_000.75, () => bytes)).toBe(
    createId("evt", 1_795_694_400_000, () => bytes),
  );
});

test("an id of another kind, or a text that is none, is told apart", () => {
  const id = createId("call", 1, () => new Uint8Array(10));
  expect(isId("evt", id)).toBe(false);
  for (const text of [
    "",
    "call_",
    `${id}0`,
    id.slice(0, -1),
    id.toUpperCase(),
    `${id}\n`,
    "call_../../etc/passwd",
  ]) {
    expect(isId("call", text)).toBe(false);
  }
});
