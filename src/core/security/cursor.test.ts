import fc from "fast-check";
import { expect, test } from "vitest";
import { Cursors } from "./cursor.ts";
import { deriveKey } from "./derive-key.ts";

const cursors = new Cursors(deriveKey(new Uint8Array(32).fill(1), "cursors"));

test("places come back as they were", () => {
  fc.assert(
    fc.property(fc.nat(), fc.stringMatching(/^[a-z_0-9]{0,40}$/), (position, id) => {
      expect(cursors.readNumber("events", cursors.write("events", position))).toBe(position);
      expect(cursors.readText("calls", cursors.write("calls", id))).toBe(id);
    }),
  );
});

test("a cursor tells nothing to who reads it as a number, and is safe in a URL", () => {
  const cursor = cursors.write("events", 9_007_199_254_740_991);
  expect(cursor).toMatch(/^[\w-]+$/);
  expect(cursors.readNumber("events", cursor)).toBe(9_007_199_254_740_991);
});

test("a cursor is refused when any of its characters is another one, missing or doubled", () => {
  const cursor = cursors.write("events", 41);
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/.\n ";
  let tried = 0;
  for (let index = 0; index < cursor.length; index += 1) {
    const [before, after] = [cursor.slice(0, index), cursor.slice(index + 1)];
    const others = alphabet.split("").filter((character) => character !== cursor[index]);
    for (const middle of ["", `${cursor[index]}${cursor[index]}`, ...others]) {
      tried += 1;
      expect(cursors.readNumber("events", before + middle + after)).toBeNull();
    }
  }
  expect(tried).toBeGreaterThan(1_000);
});

test("what others made is refused: other lists, other instances, other kinds of places, rubbish of any length", () => {
  const cursor = cursors.write("events", 41);
  expect(cursors.readNumber("audit", cursor)).toBeNull();
  expect(cursors.readText("events", cursor)).toBeNull();
  expect(cursors.readNumber("events", cursors.write("events", "41"))).toBeNull();
  const foreign = new Cursors(deriveKey(new Uint8Array(32).fill(2), "cursors"));
  expect(foreign.readNumber("events", cursor)).toBeNull();
  for (const rubbish of ["", "0", "41", "null", "A".repeat(16), "A".repeat(10_000), "ä", "\u0000"]) {
    expect(cursors.readNumber("events", rubbish)).toBeNull();
  }
});
