import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findJsonFault, placesInJson } from "./scan-json.ts";

describe("findJsonFault", () => {
  test.each([
    ['{"a": 1,\n "b": }', 2, 7, 'expected a value, got "}"'],
    ['{"a": 1,\n}', 2, 1, "there must be no comma before }"],
    ["[1, 2", 1, 6, "expected , or ], got the end of the text"],
    ['{"a" 1}', 1, 6, 'expected : after a name, got "1"'],
    ["{a: 1}", 1, 2, 'expected a name in double quotes, got "a"'],
    ["{'a': 1}", 1, 2, `expected a name in double quotes, got "'a'"`],
    ['["a\nb"]', 1, 2, "a text that is not closed with a double quote"],
    ['["a\tb"]', 1, 4, "a control character in a text: write it as \\t or \\u00…"],
    ['["\\x"]', 1, 3, "a \\ that begins nothing known: write \\\\ for a backslash"],
    ["[1] // steps", 1, 5, 'expected the end of the text, got "//"'],
    ["", 1, 1, "expected a value, got the end of the text"],
    ["[01]", 1, 3, 'expected , or ], got "1"'],
    ['{"a": 1, "a": 2}', 1, 10, 'the name "a" is here twice'],
    ["[".repeat(100), 1, 66, "nested deeper than 64 levels"],
  ])("%j: line %i, column %i: %s", (text, line, column, message) => {
    expect(findJsonFault(text)).toEqual({ line, column, message });
  });

  test("what JSON.stringify writes has no fault, however it is indented", () => {
    const indented = fc.tuple(fc.json(), fc.nat(4));
    fc.assert(
      fc.property(indented, ([text, indent]) => {
        const value: unknown = JSON.parse(text);
        expect(findJsonFault(JSON.stringify(value, null, indent))).toBeNull();
      }),
    );
  });

  test("it takes what JSON.parse takes, and nothing else, apart from names that come twice", () => {
    const broken = fc
      .tuple(
        fc.json({ maxDepth: 3 }),
        fc.nat(),
        fc.constantFrom("", ",", '"', "}", "]", "1", "-", "\\", " ", "e", "\n", "\u0000"),
      )
      .map(([text, at, inserted]) => {
        const offset = at % (text.length + 1);
        return text.slice(0, offset) + inserted + text.slice(offset + (at % 2));
      });
    fc.assert(
      fc.property(broken, (text) => {
        const fault = findJsonFault(text);
        if (fault?.message.includes("twice")) return;
        expect(fault === null).toBe(isJson(text));
      }),
      { numRuns: 2_000 },
    );
  });
});

test("places are found by path, under the root's own", () => {
  const text = '[\n  {"verb": "gather",\n   "on": {"1": "end", "*": [{"verb": "hangup"}]}}\n]';
  const places = placesInJson(
    text,
    new Set(["steps[0].on.*[0].verb", "steps[0].on.1", "steps[0]", "nowhere"]),
    "steps",
  );
  expect(Object.fromEntries(places)).toEqual({
    "steps[0]": { line: 2, column: 3 },
    "steps[0].on.1": { line: 3, column: 11 },
    "steps[0].on.*[0].verb": { line: 3, column: 30 },
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
