import { expect, test } from "vitest";
import { didYouMean } from "./suggest.ts";

const VERBS = ["answer", "play", "gather", "record", "tag"];

test.each([
  ["plya", "; did you mean play?"],
  ["Gather", "; did you mean gather?"],
  ["gater", "; did you mean gather?"],
  ["recrod", "; did you mean record?"],
  ["x", ""],
  ["", ""],
  ["conference", ""],
  ["a".repeat(10_000), ""],
])("%j", (word, hint) => {
  expect(didYouMean(word, VERBS)).toBe(hint);
});
